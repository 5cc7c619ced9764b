/** The page in a browser, on a real server with the model that comes with the repository. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { type RunningServer, startServer } from '../serve.ts'

const examples = join(import.meta.dir, '../../../../examples')
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!executablePath)
  console.log('skipped the page in a browser: there is no Chromium in /usr/bin (on Debian: apt-get install chromium)')

describe.skipIf(!executablePath)('in Chromium', () => {
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
    server = await startServer({ port: 0, log: false, models })
    const sha256 = new Bun.CryptoHasher('sha256').update('secret').digest('hex')
    const keys = { auth: { keys: [{ name: 'team', sha256 }] } }
    locked = await startServer({ port: 0, log: false, models: models.slice(0, 1), ...keys })
    browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      // A camera that is made up, and nobody who must allow it.
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await Promise.all([server?.stop(), locked?.stop()])
  })

  test('an image that is chosen is named, by each model, with where it looked; nothing is asked of others', async () => {
    const page = await browser.newPage()
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
  }, 60_000)

  test('a file that is no image is told', async () => {
    const page = await browser.newPage()
    await page.goto(server.url.href)
    await page.setInputFiles('#file', join(examples, 'pretrained/config.json'))
    await page.waitForFunction("document.querySelector('#status').textContent.length > 0")
    expect(await page.locator('#result').isVisible()).toBe(false)
  }, 60_000)

  test('a file that is dropped is named', async () => {
    const page = await browser.newPage()
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
  }, 60_000)

  test('what the camera sees is named, and the camera is closed', async () => {
    const page = await browser.newPage()
    await page.goto(server.url.href)
    await page.click('#camera')
    while (!(await page.evaluate("document.querySelector('#video').videoWidth"))) await Bun.sleep(20)
    await page.click('#shoot')
    await page.waitForSelector('#predictions li:first-child')
    expect(await page.locator('#live').isVisible()).toBe(false)
    expect(await page.evaluate("document.querySelector('#video').srcObject.active")).toBe(false)
  }, 60_000)

  test('a key is asked for where one is needed, and is all that is needed', async () => {
    const page = await browser.newPage()
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
  }, 60_000)

  test('the description of the API has every route of the document, and shows what it takes', async () => {
    const page = await browser.newPage()
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
  }, 60_000)
})
