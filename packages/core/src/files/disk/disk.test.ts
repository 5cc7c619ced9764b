/** The two disks answer alike: the file system here, and OPFS in Chromium, in a page and in a worker. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../test/browsers.ts'
import { diskAnswers } from '../../../test/disk-page.ts'

const executablePath = installed(testChromium)

const folder = mkdtempSync(join(tmpdir(), 'vitral-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(!executablePath)('the disk in Chromium', () => {
  let server: ReturnType<typeof Bun.serve>
  let browser: Browser
  let page: Page
  let expected: unknown[]

  beforeAll(async () => {
    expected = await diskAnswers(folder)
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dir, '../../../test/disk-page.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser', // nothing of Node may be needed
      conditions: ['bun'], // the sources, so that no build is needed first
      logLevel: 'error',
    })
    const code = outputFiles[0]?.text ?? ''
    const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
    server = Bun.serve({
      port: 0,
      fetch: ({ url }) =>
        url.endsWith('.js')
          ? new Response(code, { headers: { 'content-type': 'text/javascript' } })
          : new Response(html, { headers: { 'content-type': 'text/html' } }),
    })
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(`http://localhost:${server.port}/`)
    await page.waitForFunction('globalThis.diskAnswers')
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop(true)
  })

  test('OPFS in a page answers as the file system does', async () => {
    expect(expected.at(-1)).toContain('is damaged')
    expect(await page.evaluate("diskAnswers('in-page')")).toEqual(expected)
  })

  test('OPFS in a worker answers as the file system does', async () => {
    const answers = await page.evaluate(
      () =>
        new Promise(resolve => {
          const worker = new Worker('/page.js', { type: 'module' })
          worker.onmessage = ({ data }) => resolve(data)
          worker.postMessage('in-worker')
        }),
    )
    expect(answers).toEqual(expected)
  })

  test('a path above the root of OPFS is refused', async () => {
    expect(await page.evaluate("diskAnswers('a/../b').catch(({ message }) => message)")).toMatch(/'a\/\.\.\/b.*'\.\.'/)
  })
})
