/** Bun, Node and Chromium as one: each loads the models that a test asks it to. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { chromium as testChromium } from './browsers.ts'
import { type LoadAnswer, type LoadRequest, loadModel } from './load-model.ts'
import type { ModelSite } from './model-site.ts'

export interface Runtime {
  load(request: LoadRequest): Promise<LoadAnswer>
  /** A name of a place where nothing is kept yet. */
  newCache(): string
  stop(): Promise<void>
}

const executablePath = testChromium.program
const node = Bun.which('node')

/** Runtimes by name, with what is missing where there is none here. Each starts the site, and stops what it started. */
export const runtimes: [name: string, missing: string | undefined, start: (site: ModelSite) => Promise<Runtime>][] = [
  ['Bun', undefined, startBun],
  ['Node', node ? undefined : 'there is no node in the PATH', startNode],
  [
    'Chromium',
    executablePath ? undefined : 'there is no Chromium in /usr/bin (on Debian: apt-get install chromium)',
    startChromium,
  ],
]

function folders(): { newCache: () => string; remove: () => void } {
  const made: string[] = []
  return {
    newCache: () => {
      made.push(mkdtempSync(join(tmpdir(), 'vitral-cache-')))
      return made.at(-1) as string
    },
    remove: () => {
      for (const folder of made) rmSync(folder, { recursive: true })
    },
  }
}

async function startBun(site: ModelSite): Promise<Runtime> {
  await site.start()
  const { newCache, remove } = folders()
  return { load: loadModel, newCache, stop: async () => remove() }
}

async function startNode(site: ModelSite): Promise<Runtime> {
  await site.start()
  const { newCache, remove } = folders()
  const outdir = newCache()
  const entry = join(import.meta.dirname, 'load-model-node.ts')
  await Bun.build({ entrypoints: [entry], target: 'node', outdir, naming: 'load.mjs', external: ['undici'] })
  const program = Bun.spawn([node as string, join(outdir, 'load.mjs')], { stdin: 'pipe', stderr: 'inherit' })
  const reader = program.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  const line = async (): Promise<string> => {
    while (!rest.includes('\n')) {
      const { value, done } = await reader.read()
      if (done) throw new Error('Node ended.')
      rest += value
    }
    const end = rest.indexOf('\n')
    const [first, others] = [rest.slice(0, end), rest.slice(end + 1)]
    rest = others
    return first
  }
  return {
    async load(request) {
      program.stdin.write(`${JSON.stringify(request)}\n`)
      await program.stdin.flush()
      return JSON.parse(await line()) as LoadAnswer
    },
    newCache,
    async stop() {
      program.kill()
      await program.exited
      remove()
    },
  }
}

async function startChromium(site: ModelSite): Promise<Runtime> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'load-model.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser', // nothing of Node may be needed
    conditions: ['bun'], // the sources, so that no build is needed first
    external: ['@vitral/backend-web'],
    logLevel: 'error',
  })
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
  await site.start({
    html: `${head}<script type="module" src="/page.js"></script>`,
    script: outputFiles[0]?.text ?? '',
  })
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  const page = await browser.newPage()
  await page.goto(site.url)
  await page.waitForFunction('globalThis.loadModel')
  let caches = 0
  return {
    load: request =>
      page.evaluate(request => (globalThis as never as { loadModel: typeof loadModel }).loadModel(request), request),
    newCache: () => `vitral-test-${caches++}`,
    stop: () => browser.close(),
  }
}
