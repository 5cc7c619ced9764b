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
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
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
})
