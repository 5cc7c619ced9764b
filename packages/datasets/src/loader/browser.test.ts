/** The loader in Chromium, its workers web workers: the bits that Bun makes, with memory that is shared and without. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../core/test/browsers.ts'
import type { ImageForm, PageBatch } from '../../test/browser-loader-page.ts'
import { load } from '../../test/load.ts'
import { madeUpImages } from '../../test/made-up-images.ts'
import { brighten } from '../../test/user-module.ts'
import { imageFiles } from '../datasets/image-files.ts'
import { memoryDataset } from '../datasets/memory-dataset.ts'
import * as transforms from '../transforms/index.ts'

const executablePath = installed(testChromium)

declare function fileBatches(workers: number, form: ImageForm): Promise<PageBatch[]>
declare function batches(workers: number, reuseMemory: boolean): Promise<PageBatch[]>

const bundle = mkdtempSync(join(tmpdir(), 'vitral-bundle-'))
afterAll(() => rmSync(bundle, { recursive: true }))

test('a bundle for browsers has nothing of Node, and that of a worker no tensors', async () => {
  const { metafile } = await build({
    entryPoints: {
      page: join(import.meta.dir, '../../test/browser-loader-page.ts'),
      worker: join(import.meta.dir, 'worker.ts'),
      'user-module': join(import.meta.dir, '../../test/user-module.ts'),
    },
    outdir: bundle,
    bundle: true,
    format: 'esm',
    platform: 'browser', // nothing of Node may be needed
    conditions: ['bun'], // the sources, so that no build is needed first
    metafile: true,
    logLevel: 'error',
  })
  const inputs = Object.keys(metafile.inputs)
  expect(inputs.some(path => path.endsWith('loader/browser-threads.ts'))).toBe(true)
  expect(inputs.filter(path => /tensorflow|node-threads|sharp-decoder|node_modules.sharp/.test(path))).toEqual([])
})

describe.skipIf(!executablePath).each([
  ['isolated', true],
  ['without isolation', false],
])('in a page that is %s', (_, isolated) => {
  let server: ReturnType<typeof Bun.serve>
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    server = Bun.serve({ port: 0, fetch: serve })
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(server.url.href)
    await page.waitForFunction('globalThis.batches')
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop(true)
  })

  function serve(request: Request): Response {
    const { pathname } = new URL(request.url)
    const headers: Record<string, string> = isolated
      ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
      : {}
    if (pathname.startsWith('/images/'))
      return new Response(Bun.file(join(import.meta.dir, '../../test/fixtures/decode', pathname.slice(8))), { headers })
    if (pathname !== '/') return new Response(Bun.file(join(bundle, pathname)), { headers })
    const html =
      '<!doctype html><meta charset="utf-8"><base href="/images/"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
    return new Response(html, { headers: { ...headers, 'content-type': 'text/html' } })
  }

  test.each([
    [0, false],
    [2, false],
    [2, true],
  ])('%d workers, ring: %p', async (workers, reuseMemory) => {
    const made = await page.evaluate(([workers, ring]) => batches(workers, ring), [workers, reuseMemory] as const)
    const chain = [transforms.randomCrop(8, { padding: 2 }), transforms.randomHorizontalFlip(), transforms.toTensor()]
    const options = { transforms: chain, batchSize: 4, shuffle: true, seed: 3 }
    const expected = await load(await memoryDataset(madeUpImages(), ['a', 'b']), options, { epoch: 2 })
    expect(made).toEqual(
      expected.map(({ pixelValues, labels }) => ({
        data: [...pixelValues.data],
        labels: [...labels],
        shared: isolated && reuseMemory,
      })),
    )
  })

  test.each<[number, ImageForm]>([
    [0, 'address'],
    [2, 'address'],
    [0, 'File'],
    [2, 'File'],
    [0, 'ImageBitmap'],
    [2, 'canvas'],
  ])('images and a transform of one’s own, %d workers: each an %s', async (workers, form) => {
    const made = await page.evaluate(([workers, form]) => fileBatches(workers, form), [workers, form] as const)
    const fixtures = join(import.meta.dir, '../../test/fixtures/decode')
    const files = ['colour.png', 'grey.png'].map((name, label) => ({ path: join(fixtures, name), label }))
    const chain = [brighten(20), transforms.toTensor()]
    const expected = await load(imageFiles(files, ['a', 'b']), { transforms: chain, batchSize: 2, seed: 3 })
    expect(made).toEqual(
      expected.map(({ pixelValues, labels }) => ({ data: [...pixelValues.data], labels: [...labels], shared: false })),
    )
  })

  test('no worker is left', async () => {
    for (let i = 0; i < 100 && page.workers().length > 0; i++) await Bun.sleep(20) // a browser ends them by and by
    expect(page.workers().length).toBe(0)
  })
})
