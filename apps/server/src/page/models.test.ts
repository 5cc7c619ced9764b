/** The page with several models: it shows results of the selected one only. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../../packages/core/test/browsers.ts'
import { generousLimits } from '../../test/support/generous-limits.ts'
import { removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import { type RunningServer, startServer } from '../serve.ts'

const examples = join(import.meta.dir, '../../../../examples')
const executablePath = installed(testChromium)

describe.skipIf(!executablePath)('in Chromium', () => {
  let browser: Browser
  let server: RunningServer
  let page: Page
  const asked: string[] = []
  beforeAll(async () => {
    const backend = 'cpu' as const
    const models = [
      { name: 'three', folder: await tinyModel({ numLabels: 3 }), backend },
      { name: 'four', folder: await tinyModel({ numLabels: 4 }), backend },
      { name: 'features', folder: await tinyModel({ isHeadless: true }), backend },
    ]
    server = await startServer({ port: 0, log: false, models, ...generousLimits })
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
    page = await browser.newPage()
    page.setDefaultTimeout(120_000)
    page.on('request', request => {
      if (request.method() === 'POST') asked.push(new URL(request.url()).pathname)
    })
    await page.goto(server.url.href)
    await page.waitForSelector('#model option', { state: 'attached' })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    removeFolders()
  }, 120_000)

  test('selecting another model classifies the chosen image with it', async () => {
    await page.selectOption('#model', 'four')
    await page.selectOption('#model', 'three')
    expect(asked).toEqual([]) // there is no image yet
    await page.setInputFiles('#file', join(examples, 'images/ship.png'))
    await page.waitForSelector('#predictions li:nth-child(3)')
    expect(await page.locator('#predictions li').count()).toBe(3)
    await page.selectOption('#model', 'four')
    await page.waitForSelector('#predictions li:nth-child(4)')
    expect(asked).toEqual(['/v1/models/three/explain', '/v1/models/four/explain'])
    if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-four.png` })
  }, 120_000)

  test('a model without a classifier shows its attention and no labels', async () => {
    await page.selectOption('#model', 'features')
    await page.waitForSelector('#status:has-text("no classifier")')
    expect(await page.locator('#predictions li').count()).toBe(0)
    expect(await page.locator('#attention').isVisible()).toBe(true)
    if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-features.png` })
  }, 120_000)

  test('a failed request leaves no earlier result on the page', async () => {
    await page.setInputFiles('#file', join(examples, 'pretrained/config.json'))
    await page.waitForSelector('#status.error')
    expect(await page.locator('#result').isVisible()).toBe(false)
    if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-error.png` })
  }, 120_000)
})
