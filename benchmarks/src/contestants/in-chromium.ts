/**
 * Runs a contestant in headless Chromium, in a page that is cross-origin isolated and so has threads:
 * bun in-chromium.ts CONTESTANT [PRECISION] OPTIONS.
 */
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../packages/core/test/browsers.ts'
import type { ContestantOptions, Unavailable } from '../protocol.ts'
import { serveAnswers } from './serve.ts'
import type { PageContestant } from './serve-in-page.ts'
import type { Engine } from './work.ts'

declare const contestant: PageContestant

const [name = '', ...rest] = process.argv.slice(2)
const options: ContestantOptions = JSON.parse(rest.at(-1) ?? '{}')
const executablePath = installed(testChromium)
if (executablePath) await run(executablePath)
else console.log(JSON.stringify({ unavailable: 'Chromium is not installed' } satisfies Unavailable))

async function run(executablePath: string): Promise<void> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const engine: Engine = {
    name: `Chromium ${browser.version().split('.')[0]}`,
    inPage: true,
    precision: rest[0] === 'int8' ? 'int8' : 'float32',
  }
  const { modelFolder, onnxFile, int8OnnxFile, inputs } = options
  const folders: Record<string, string> = {
    model: modelFolder,
    files: dirname(onnxFile),
    'onnxruntime-web': dirname(Bun.resolveSync('onnxruntime-web', import.meta.dir)),
  }
  const scripts = await bundle()
  const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/${name}.js"></script>`
  const server = Bun.serve({
    port: 0,
    fetch({ url }) {
      const { pathname, origin } = new URL(url)
      const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
      const [folder = '', ...path] = pathname.slice(1).split('/')
      if (pathname === '/') return new Response(page, { headers: { ...headers, 'content-type': 'text/html' } })
      if (scripts.has(folder))
        return new Response(scripts.get(folder), { headers: { ...headers, 'content-type': 'text/javascript' } })
      const address = (file: string): string => `${origin}/files/${basename(file)}`
      if (folder === 'contestant')
        return Response.json({
          engine,
          options: {
            ...{ ...options, modelFolder: `${origin}/model` },
            ...{ onnxFile: address(onnxFile), int8OnnxFile: address(int8OnnxFile), inputs: address(inputs) },
          },
        })
      return folders[folder]
        ? new Response(Bun.file(join(folders[folder], ...path)), { headers })
        : new Response(null, { status: 404 })
    },
  })
  const tab = await browser.newPage()
  const failed = new Promise<never>((_, reject) => {
    tab.on('pageerror', reject)
    tab.on('console', message => message.type() === 'error' && reject(new Error(message.text())))
  })
  await tab.goto(server.url.href)
  await Promise.race([tab.waitForFunction('globalThis.contestant', undefined, { timeout: 0 }), failed])
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const renderer = processInfo.filter(({ type }) => type === 'renderer').sort((a, b) => b.cpuTime - a.cpuTime)[0]
  await serveAnswers(
    await tab.evaluate(() => contestant.title),
    { check: () => tab.evaluate(() => contestant.check()), run: () => tab.evaluate(() => contestant.run()) },
    renderer?.id,
  )
  await browser.close()
  await server.stop(true)
}

/** The modules by their names, one of which is that of the contestant; what Node alone needs is in others that nobody loads. */
async function bundle(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dir, `${name}.ts`)],
    bundle: true,
    splitting: true,
    outdir: '.',
    write: false,
    format: 'esm',
    platform: 'browser',
    external: ['node:*'],
    conditions: ['bun'], // the sources, so that no build is needed first
    plugins: [
      {
        name: 'serve in the page',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/serve\.ts$/ }, () => ({ path: join(import.meta.dir, 'serve-in-page.ts') })),
      },
    ],
    logLevel: 'error',
  })
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
}
