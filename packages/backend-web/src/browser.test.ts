/** The packages bundled for a browser: one instance of tfjs-core, and a training step on wasm and on WebGPU. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { StepResult } from '../test/browser-page.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!executablePath)
  console.log('skipped the tests in a browser: there is no Chromium in /usr/bin (on Debian: apt-get install chromium)')

declare function trainingStep(backend: string): Promise<StepResult>

describe.skipIf(!executablePath)('in Chromium', () => {
  const bundle = mkdtempSync(join(tmpdir(), 'vitral-bundle-'))
  const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  let server: ReturnType<typeof Bun.serve>
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dir, '../test/browser-page.ts')],
      outdir: bundle,
      bundle: true,
      format: 'esm',
      splitting: true, // what only Node needs stays in chunks that a browser never loads
      platform: 'browser',
      external: ['node:*'],
      conditions: ['bun'], // the sources, so that no build is needed first
      logLevel: 'error',
    })
    server = Bun.serve({ port: 0, fetch: serve })
    browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      args: ['--no-sandbox', '--enable-unsafe-webgpu'],
    })
    page = await browser.newPage()
    await page.goto(`http://localhost:${server.port}/`)
    await page.waitForFunction('globalThis.trainingStep')
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop(true)
    rmSync(bundle, { recursive: true })
  })

  function serve(request: Request): Response {
    const { pathname } = new URL(request.url)
    if (pathname === '/') {
      const html =
        '<!doctype html><meta charset="utf-8"><title>Vitral</title><link rel="icon" href="data:,"><script type="module" src="/browser-page.js"></script>'
      return new Response(html, { headers: { 'content-type': 'text/html' } })
    }
    return new Response(
      Bun.file(pathname.startsWith('/wasm/') ? join(wasmFolder, pathname.slice(6)) : join(bundle, pathname)),
    )
  }

  test('the bundle has one tfjs-core', () => {
    const code = readdirSync(bundle).map(name => readFileSync(join(bundle, name), 'utf8'))
    const engines = code.join('\n').match(/class Engine\b|Engine = class/g)
    expect(engines?.length).toBe(1)
  })

  for (const backend of ['wasm', 'webgpu'])
    test(`a training step runs on ${backend}`, async () => {
      const { loss, gradients, oneEngine } = await page.evaluate(name => trainingStep(name), backend)
      expect(loss).toBeCloseTo(Math.log(3), 1) // a fresh model knows nothing: its loss is that of guessing
      expect(gradients).toBe(24) // every parameter
      expect(oneEngine).toBe(true)
    }, 120_000)
})
