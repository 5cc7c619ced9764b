// Builds a page beside it with one bundler, by its defaults: `node build-page.mjs BUNDLER FOLDER PAGE`.
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const [bundler, outdir, name] = process.argv.slice(2)
const page = join(import.meta.dirname, name)
const entry = join(page, 'main.js')
/** Bundlers that do not look for `new Worker(new URL(…))` are told of the worker. */
const entries = [
  entry,
  ...readdirSync(page)
    .filter(file => file.endsWith('.worker.js'))
    .map(file => join(page, file)),
]

const vite = async () => {
  const { build } = await import(bundler)
  await build({
    root: page,
    base: './',
    logLevel: 'warn',
    worker: { format: 'es' }, // before Vite 8 the default, 'iife', lets a worker import nothing when it needs it
    build: { outDir: outdir, emptyOutDir: true, target: 'esnext' },
  })
}

const builders = {
  vite5: vite,
  vite7: vite,
  vite8: vite,
  async webpack() {
    const { default: webpack } = await import('webpack')
    const options = {
      mode: 'production',
      entry,
      output: { path: outdir },
      performance: { hints: false },
      optimization: { minimize: false }, // half a minute for tfjs on a busy machine, and no concern of this test
    }
    const stats = await new Promise((resolve, reject) =>
      webpack(options, (error, stats) => (error ? reject(error) : resolve(stats))),
    )
    console.log(stats.toString({ all: false, errors: true, warnings: true }))
    if (stats.hasErrors()) process.exitCode = 1
  },
  async esbuild() {
    const { build } = await import('esbuild')
    const options = { bundle: true, format: 'esm', splitting: true, minify: true, platform: 'browser' }
    await build({ ...options, entryPoints: entries, outdir, logLevel: 'warning' })
  },
  async bun() {
    const options = { entrypoints: entries, outdir, target: 'browser', minify: true, splitting: true }
    const { logs } = await Bun.build(options)
    console.log(logs.join('\n'))
  },
}
await builders[bundler]()
if (!bundler.startsWith('vite')) copyFileSync(join(page, 'index.html'), join(outdir, 'index.html'))
