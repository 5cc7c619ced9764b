/** Bundles a contestant for Node, which reads no TypeScript: bun bundle-for-node.ts CONTESTANT OUTPUT. */
import { join } from 'node:path'
import { build } from 'esbuild'

const [contestant = '', outfile = ''] = process.argv.slice(2)

await build({
  entryPoints: [join(import.meta.dir, `../src/contestants/${contestant}.ts`)],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  conditions: ['bun'], // the sources, so that no build is needed first
  external: ['@vitral/backend-node', 'onnxruntime-web', 'sharp', '@napi-rs/image'],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'error',
})
