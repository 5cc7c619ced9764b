/**
 * Bundles the built packages, and all that they need, into one folder of modules that browsers load as they are. Files
 * that a module names by `new URL('./…', import.meta.url)` come along: workers as entries of their own, others copied.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'

const outdir = 'dist'

/** The modules that pages import, by file. */
const entries: Record<string, string> = {
  core: '@vitral/core',
  datasets: '@vitral/datasets',
  trainer: '@vitral/trainer',
  'trainer-browser': '@vitral/trainer/browser',
  'trainer-worker': '@vitral/trainer/worker',
  'backend-web': '@vitral/backend-web',
  'tfjs-core': '@tensorflow/tfjs-core',
}

/** Scripts of workers, found while their starters are bundled. */
const workers: Record<string, string> = {}

const named = /new URL\(\s*(['"])\.\/([^'"]+)\1,\s*import\.meta\.url\s*\)/g
const starter = /new Worker\((new URL\([^()]*\))/g

/** Gives named files names that are unique in the one folder, and lets workers start from another origin. */
const gatherFiles: Plugin = {
  name: 'gather files',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]packages[\\/][\w-]+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const [, owner] = /[\\/]packages[\\/]([\w-]+)[\\/]dist[\\/]/.exec(path) ?? []
      const text = readFileSync(path, 'utf8')
      const contents = text.replace(named, (whole, _quote, file: string) => {
        const from = join(dirname(path), file)
        if (!existsSync(from)) return whole // an example in a comment
        const name = `${owner}-${basename(file)}`
        if (/\.m?js$/.test(file)) workers[name.replace(/\.m?js$/, '')] = from
        else copyFileSync(from, join(outdir, name))
        return `new URL('./${name}', import.meta.url)`
      })
      return { contents: contents.replaceAll(starter, 'new Worker(workerUrl($1)'), loader: 'js' }
    })
  },
}

async function bundle(): Promise<void> {
  const known = Object.keys(workers).length
  rmSync(outdir, { recursive: true, force: true })
  mkdirSync(outdir)
  await build({
    entryPoints: { ...entries, ...workers },
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    chunkNames: 'chunk-[hash]',
    inject: ['src/worker-url.ts'],
    legalComments: 'linked', // licences of what is inside travel with it
    plugins: [gatherFiles],
    logLevel: 'warning',
  })
  if (Object.keys(workers).length > known) await bundle() // the scripts of the workers that this has found
}

await bundle()
