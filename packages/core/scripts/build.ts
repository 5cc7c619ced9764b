/**
 * Makes a copy of tfjs-core's gradient registrations for Node, which cannot import that file from tfjs-core (its imports
 * have no extensions). The copy registers into the one engine, which tfjs-core keeps on globalThis.
 */
import { build } from 'esbuild'

await build({
  entryPoints: ['src/tape/stock-gradients.ts'],
  outfile: 'dist/tape/bundled-gradients.js',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  legalComments: 'eof', // tfjs-core's licence travels with its code
})
