// Builds the page beside it with one bundler, by its defaults: `node build-page.mjs BUNDLER FOLDER`.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

const [bundler, outdir] = process.argv.slice(2)
const page = join(import.meta.dirname, 'page')
const entry = join(page, 'main.js')

const vite = async () => {
  const { build } = await import(bundler)
  await build({
    root: page,
    base: './',
    logLevel: 'warn',
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
    await build({ ...options, entryPoints: [entry], outdir, logLevel: 'warning' })
  },
  async bun() {
    const options = { entrypoints: [entry], outdir, target: 'browser', minify: true, splitting: true }
    const { logs } = await Bun.build(options)
    console.log(logs.join('\n'))
  },
}
await builders[bundler]()
if (!bundler.startsWith('vite')) copyFileSync(join(page, 'index.html'), join(outdir, 'index.html'))
