/**
 * After tsc: makes the loader's worker, with all that it imports, into a text in a module. Pages load it where their
 * bundler has left the worker's file out.
 */
import { writeFile } from 'node:fs/promises'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: ['dist/loader/worker.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  external: ['#worker-text'], // what starts a worker shares a file with the worker's own end, and is left out
  write: false,
})
await writeFile('dist/loader/bundled-worker.js', `export const text = ${JSON.stringify(outputFiles[0]?.text)}\n`)
