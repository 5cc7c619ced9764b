/** The packages bundled for a browser: one instance of tfjs-core, and a training step on wasm and on WebGPU. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendChoice } from '@vitral/core'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../core/test/browsers.ts'
import type { CasesReport } from '../test/run-cases.ts'
import { trainingStep as referenceStep, type StepResult } from '../test/training-step.ts'
import type { ConformanceReport } from '../test/wasm-conformance.ts'
import type { WasmInfo, WebgpuAdapter } from './index.ts'

const executablePath = installed(testChromium)

declare function trainingStep(backend: string): Promise<StepResult>
declare function wasmForward(threads: number): Promise<{ info: WasmInfo; logits: number[] }>
declare function wasmConformance(threads: number): Promise<ConformanceReport>
declare function useBackend(name: 'auto'): Promise<BackendChoice>
declare function webgpuAdapter(): Promise<WebgpuAdapter>
declare function webgpuConformance(pattern: string): Promise<CasesReport>
declare function canvasPixels(): Promise<number[]>
declare function deviceErrors(): Promise<string[]>

describe.skipIf(!executablePath)('in Chromium', () => {
  const bundle = mkdtempSync(join(tmpdir(), 'vitral-bundle-'))
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

  async function isolatedPage(): Promise<Page> {
    const isolated = await browser.newPage()
    await isolated.goto(`http://localhost:${server.port}/isolated/`)
    await isolated.waitForFunction('globalThis.wasmForward')
    return isolated
  }

  function serve(request: Request): Response {
    const { pathname } = new URL(request.url)
    const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
    if (!pathname.endsWith('/')) return new Response(Bun.file(join(bundle, pathname)))
    const html =
      '<!doctype html><meta charset="utf-8"><title>Vitral</title><link rel="icon" href="data:,"><script type="module" src="/browser-page.js"></script>'
    return new Response(html, {
      headers: { 'content-type': 'text/html', ...(pathname === '/isolated/' && isolated) },
    })
  }

  test('the bundle has one tfjs-core', () => {
    const code = readdirSync(bundle).map(name => readFileSync(join(bundle, name), 'utf8'))
    const engines = code.join('\n').match(/class Engine\b|Engine = class/g)
    expect(engines?.length).toBe(1)
  })

  test('wasm has one thread in a page, several in one that is cross-origin isolated, and the same bits', async () => {
    const alone = await page.evaluate(() => wasmForward(1))
    expect(alone.info.threads).toBe(1)
    await expect(page.evaluate(() => wasmForward(2))).rejects.toThrow('Cross-Origin-Opener-Policy: same-origin')
    const isolated = await isolatedPage()
    const together = await isolated.evaluate(() => wasmForward(2))
    await isolated.close()
    expect(together.info).toEqual({ ...alone.info, threads: 2 })
    expect(together.logits.some(logit => logit !== 0)).toBe(true)
    expect(together.logits).toEqual(alone.logits)
  }, 60_000)

  for (const threads of [1, 2])
    test(`conformance of wasm on ${threads === 1 ? 'one thread' : 'two threads'}`, async () => {
      const tab = threads === 1 ? page : await isolatedPage()
      const report = await tab.evaluate(count => wasmConformance(count), threads)
      if (threads > 1) await tab.close()
      expect(report.failed).toEqual([])
      expect(report).toMatchObject({ threads, instructionSet: 'relaxed-simd' })
      expect(report.passed).toBeGreaterThan(200)
    }, 120_000)

  for (const backend of ['wasm', 'webgpu'] as const)
    test(`a training step on ${backend} gives what it gives in Bun on cpu`, async () => {
      const expected = await referenceStep('cpu')
      const { loss, lossAfter, gradients, backend: current } = await page.evaluate(name => trainingStep(name), backend)
      expect(current).toBe(backend)
      expect(gradients).toBe(24) // every parameter
      expect(loss).toBeCloseTo(expected.loss, 5)
      expect(lossAfter).toBeCloseTo(expected.lossAfter, 5)
      expect(lossAfter).toBeLessThan(loss)
    }, 120_000)

  test('auto passes over a WebGPU adapter that is emulated on the CPU, and says so', async () => {
    const { emulated, name, limits } = await page.evaluate(() => webgpuAdapter())
    expect(limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27)
    const choice = await page.evaluate(() => useBackend('auto'))
    if (!emulated) return expect(choice).toEqual({ name: 'webgpu', passedOver: [] })
    expect(choice.name).toBe('wasm')
    expect(choice.passedOver.map(({ name }) => name)).toEqual(['webgpu'])
    expect(choice.passedOver[0]?.reason).toContain(`emulated on the CPU (${name})`)
  })

  // Chromium's emulated adapter has subgroups of 4 lanes, workgroups of 256, and places of buffers at multiples of 256.
  test('conformance of webgpu', async () => {
    const ops =
      'patchEmbed|embedTokens|maskTokens|layerNorm|qkv|attention|classAttention|linear|loraWeight|gelu|dropout|selectToken|' +
      'crossEntropy|gradNorm|unscale|optimizerStep'
    const report = await page.evaluate(pattern => webgpuConformance(pattern), `^(${ops}):`)
    expect(report.failed).toEqual([])
    expect(report.passed).toBeGreaterThan(100)
  }, 300_000)

  test('a picture becomes a tensor on webgpu', async () => {
    const [nothing, colour] = [
      [0, 0, 0],
      [10, 20, 30],
    ]
    const row = [nothing, colour, nothing].flat()
    expect(await page.evaluate(() => canvasPixels())).toEqual([...row, ...row] as number[])
  })

  test('webgpu throws what the device reports, and a new start takes a new device', async () => {
    const [refused, lost, after] = await page.evaluate(() => deviceErrors())
    expect(refused).toMatch(/^Reading a tensor on webgpu: WebGPU refused a command.*"Fill"/)
    expect(lost).toMatch(/^Reading a tensor on webgpu: The WebGPU device was lost: ./)
    expect(after).toBe('none')
  }, 60_000)
})
