/** Decoding in Chromium: the same function, the same pixels, the same refusals. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../core/test/browsers.ts'
import type { Decoded } from '../../test/browser-page.ts'
import { type DecodeOptions, decodeImage } from './decode-image.ts'

const executablePath = installed(testChromium)

declare function decode(url: string, options?: DecodeOptions): Promise<Decoded>

const fixtures = join(import.meta.dir, '../../test/fixtures/decode')
const files = readdirSync(fixtures).filter(name => !/\.(json|tif|p[bgp]m)$/.test(name))

describe.skipIf(!executablePath)('in Chromium', () => {
  const bundle = mkdtempSync(join(tmpdir(), 'vitral-bundle-'))
  let server: ReturnType<typeof Bun.serve>
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dir, '../../test/browser-page.ts')],
      outdir: bundle,
      bundle: true,
      format: 'esm',
      platform: 'browser', // nothing of Node may be needed
      conditions: ['bun'], // the sources, so that no build is needed first
      logLevel: 'error',
    })
    server = Bun.serve({ port: 0, fetch: serve })
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(server.url.href)
    await page.waitForFunction('globalThis.decode')
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop(true)
    rmSync(bundle, { recursive: true })
  })

  function serve(request: Request): Response {
    const [, folder, name] = new URL(request.url).pathname.split('/') as [string, string, string?]
    if (folder === '') {
      const html =
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/browser-page.js"></script>'
      return new Response(html, { headers: { 'content-type': 'text/html' } })
    }
    if (folder === 'missing') return new Response('no', { status: 404 })
    if (name === undefined) return new Response(Bun.file(join(bundle, folder)))
    const bytes = readFileSync(join(fixtures, name))
    return new Response(folder === 'cut' ? bytes.subarray(0, 0.6 * bytes.length) : bytes)
  }

  const inPage = (url: string, options: DecodeOptions = {}): Promise<Decoded> =>
    page.evaluate(([url, options]) => decode(url, options), [url, options] as const)
  const refusal = async (url: string, options: DecodeOptions = {}): Promise<string> => {
    const { name, message } = (await inPage(url, options)) as { name: string; message: string }
    expect(name).toBe('BrokenImageError')
    return message
  }

  test.each(files)('%s has the pixels that Bun and Node have', async name => {
    const { data, ...shape } = await decodeImage(join(fixtures, name))
    expect(await inPage(`/whole/${name}`)).toEqual({ ...shape, data: [...data] })
  })

  test('a file cut off is named', async () => {
    for (const name of ['colour.jpg', 'colour.png', 'lossy.webp', 'colour.avif', 'colour.gif', 'colour.bmp'])
      expect(await refusal(`/cut/${name}`)).toStartWith(`/cut/${name} cannot be decoded: `)
  })
  test('a missing file, another format, too many pixels and too many bytes are named', async () => {
    expect(await refusal('/missing/x.jpg')).toBe('/missing/x.jpg answered 404 Not Found.')
    expect(await refusal('/whole/colour.ppm')).toContain('it is a Netpbm image; expected JPEG, PNG,')
    expect(await refusal('/whole/colour.tif')).toBe(
      '/whole/colour.tif cannot be decoded: it is a TIFF image; expected JPEG, PNG, WebP, AVIF, GIF or BMP.',
    )
    expect(await refusal('/whole/colour.png', { maxPixels: 100 })).toContain(
      'it has 16×12 pixels, more than maxPixels, 100',
    )
    expect(await refusal('/whole/colour.png', { maxBytes: 100 })).toBe(
      '/whole/colour.png has more than maxBytes, 100 bytes.',
    )
  })
})
