/** The page in a browser, with a real server and the repository's example model. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../../packages/core/test/browsers.ts'
import { generousLimits } from '../../test/support/generous-limits.ts'
import { type RunningServer, startServer } from '../serve.ts'

/** Milliseconds in which the browser shows something, on any machine. */
const patience = 120_000
const examples = join(import.meta.dir, '../../../../examples')
const executablePath = installed(testChromium)

describe.skipIf(!executablePath)('the page in Chromium', () => {
  let browser: Browser
  let server: RunningServer
  let locked: RunningServer
  beforeAll(async () => {
    const models = [
      { name: 'plain', folder: join(examples, 'pretrained') },
      {
        name: 'eight-bit',
        folder: join(examples, 'pretrained'),
        precision: 'int8' as const,
        backend: 'native' as const,
      },
    ]
    server = await startServer({ port: 0, log: false, models, ...generousLimits })
    const sha256 = new Bun.CryptoHasher('sha256').update('secret').digest('hex')
    const keys = { auth: { keys: [{ name: 'team', sha256 }] } }
    locked = await startServer({ port: 0, log: false, models: models.slice(0, 1), ...keys, ...generousLimits })
    browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      // A fake camera, which needs no permission.
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    })
  }, patience)
  /** A page that waits as long as the tests do. */
  async function openPage(): Promise<Page> {
    const page = await browser.newPage()
    page.setDefaultTimeout(patience)
    return page
  }
  afterAll(async () => {
    await browser?.close()
    await Promise.all([server?.stop(), locked?.stop()])
  })

  test(
    'a chosen image gets labels and attention from each model, without requests to other servers',
    async () => {
      const page = await openPage()
      const complaints: string[] = []
      const hosts = new Set<string>()
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('request', request => hosts.add(new URL(request.url()).host))
      await page.goto(server.url.href)
      for (const model of ['plain', 'eight-bit']) {
        await page.selectOption('#model', model)
        await page.setInputFiles('#file', join(examples, 'images/ship.png'))
        await page.waitForSelector('#predictions li:first-child:has-text("ship")')
        expect(await page.locator('#attention').isVisible()).toBe(true)
        await page.setInputFiles('#file', join(examples, 'images/cat.png'))
        await page.waitForSelector('#predictions li:first-child:has-text("cat")')
      }
      expect(complaints).toEqual([])
      expect([...hosts].filter(Boolean)).toEqual([server.url.host])
    },
    patience,
  )

  test(
    'a file that is not an image is reported',
    async () => {
      const page = await openPage()
      await page.goto(server.url.href)
      await page.setInputFiles('#file', join(examples, 'pretrained/config.json'))
      await page.waitForFunction("document.querySelector('#status').textContent.length > 0")
      expect(await page.locator('#result').isVisible()).toBe(false)
    },
    patience,
  )

  test(
    'a dropped file gets labels',
    async () => {
      const page = await openPage()
      await page.goto(server.url.href)
      const bytes = await Bun.file(join(examples, 'images/ship.png')).bytes()
      const files = await page.evaluateHandle(
        `(() => {
        const transfer = new DataTransfer()
        const bytes = Uint8Array.fromBase64('${bytes.toBase64()}')
        transfer.items.add(new File([bytes], 'ship.png', { type: 'image/png' }))
        return transfer
      })()`,
      )
      await page.dispatchEvent('#drop', 'dragover', { dataTransfer: files })
      expect(await page.getAttribute('#drop', 'class')).toBe('over')
      await page.dispatchEvent('#drop', 'drop', { dataTransfer: files })
      await page.waitForSelector('#predictions li:first-child:has-text("ship")')
      expect(await page.getAttribute('#drop', 'class')).toBe('')
    },
    patience,
  )

  test(
    'a picture of the camera gets labels, and the camera is closed',
    async () => {
      const page = await openPage()
      await page.goto(server.url.href)
      await page.click('#camera')
      while (!(await page.evaluate("document.querySelector('#video').videoWidth"))) await Bun.sleep(20)
      await page.click('#shoot')
      await page.waitForSelector('#predictions li:first-child')
      expect(await page.locator('#live').isVisible()).toBe(false)
      expect(await page.evaluate("document.querySelector('#video').srcObject.active")).toBe(false)
    },
    patience,
  )

  test(
    'the page asks for an API key where one is needed, and works with it',
    async () => {
      const page = await openPage()
      await page.goto(locked.url.href)
      await page.waitForSelector('#key-field:not([hidden])')
      await page.fill('#key', 'wrong')
      await page.press('#key', 'Enter')
      await page.waitForSelector('#status.error:has-text("key")')
      await page.fill('#key', 'secret')
      await page.press('#key', 'Tab')
      await page.waitForSelector('#model option', { state: 'attached' })
      await page.setInputFiles('#file', join(examples, 'images/cat.png'))
      await page.waitForSelector('#predictions li:first-child:has-text("cat")')
    },
    patience,
  )

  test(
    'the API reference shows every route of the OpenAPI document and its request',
    async () => {
      const page = await openPage()
      const complaints: string[] = []
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      await page.goto(new URL('docs', server.url).href)
      await page.waitForSelector('#routes details')
      const { paths } = (await (await fetch(new URL('openapi.json', server.url))).json()) as { paths: object }
      const summaries = (await page.locator('#routes summary code').allTextContents()).map(text => text.split(' ')[1])
      expect(summaries.sort()).toEqual(Object.keys(paths).sort())
      const details = page.locator('details', { hasText: 'POST /v1/models/{model}/classify' })
      await details.locator('summary').click()
      expect(await details.textContent()).toContain('top_k in query: ')
      expect(complaints).toEqual([])
    },
    patience,
  )
})
