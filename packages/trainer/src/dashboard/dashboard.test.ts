/** The live page over real HTTP, and in Chromium: what it is told, what it draws, and how it ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../core/test/browsers.ts'
import { ExampleImages } from '../evaluation/example-images.ts'
import { recipes } from '../recipes/index.ts'
import type { EpochReport, StepReport, TrainingObserver } from '../run/events.ts'
import { runPaths } from '../run/folder.ts'
import { metricsLog } from '../run/metrics-log.ts'
import { type Dashboard, startDashboard } from './dashboard.ts'
import { parseHistory, thin } from './history.ts'
import { type Changes, runProgress } from './run-progress.ts'

const recipe = { ...(recipes['cifar10-micro'] as (typeof recipes)[string]), epochs: 2 }
const data = { stepsPerEpoch: 10, trainImages: 80, evaluationImages: 20 }

const step = (number: number): StepReport => ({
  ...{ epoch: Math.ceil(number / 10), step: number, images: (((number - 1) % 10) + 1) * 8 },
  ...{ lr: 0.001, loss: 2 / number, meanLoss: 1, gradNorm: 0.5, imagesPerSecond: 100 },
})
const epoch = (number: number): EpochReport => ({
  ...{ epoch: number, step: number * 10, trainLoss: 1, examples: new ExampleImages(), isBest: true, seconds: 1 },
  evaluation: { accuracy: number / 4, top5: number / 2, loss: 1 } as EpochReport['evaluation'],
})

const out = mkdtempSync(join(tmpdir(), 'vitral-dashboard-'))
afterAll(() => rmSync(out, { recursive: true }))

let dashboard: Dashboard | undefined
afterEach(async () => {
  await dashboard?.close('finished')
  dashboard = undefined
})

/** A run of made-up reports, with its log as a real one. */
async function startRun(): Promise<{ url: string; tell: Required<Pick<TrainingObserver, 'onStep' | 'onEpoch'>> }> {
  dashboard = await startDashboard({ port: 0 })
  const observers = [await metricsLog(runPaths(out).metrics, { epoch: 0, step: 0 })]
  observers.push(dashboard.observe({ out, recipe, data }))
  return {
    url: dashboard.url,
    tell: {
      onStep: report => observers.forEach(observer => void observer.onStep?.(report)),
      onEpoch: report => observers.forEach(observer => void observer.onEpoch?.(report)),
    },
  }
}

/** The events of a connection, one at a time. */
async function* eventsOf(
  url: string,
): AsyncGenerator<{ event: string; data: Changes & { title?: string } }, undefined> {
  const { body, headers } = await fetch(`${url}/events`)
  expect(headers.get('content-type')).toBe('text/event-stream')
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const messages = text.split('\n\n')
    text = messages.pop() as string
    for (const message of messages) {
      const [, event, data] = message.match(/^event: (.*)\ndata: (.*)$/) ?? []
      if (event && data) yield { event, data: JSON.parse(data) }
    }
  }
}

describe('over HTTP', () => {
  test('a page that comes late is given all so far, then what is new, then the end', async () => {
    const { url, tell } = await startRun()
    for (let number = 1; number <= 10; number++) tell.onStep(step(number))
    tell.onEpoch(epoch(1))
    const events = eventsOf(url)
    const first = (await events.next()).value
    expect(first).toMatchObject({ event: 'run', data: { title: out, recipe: { epochs: 2 } } })
    expect(first?.data.steps.map(point => point.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(first?.data.evaluations).toEqual([{ epoch: 1, step: 10, accuracy: 0.25, top5: 0.5, loss: 1, seconds: 1 }])
    expect(first?.data.progress).toMatchObject({ state: 'training', step: 10, totalSteps: 20, images: 80 })

    for (let number = 11; number <= 20; number++) tell.onStep(step(number))
    tell.onEpoch(epoch(2))
    const told = new Set<number>()
    for (let last = 0; last < 20; last = Math.max(...told)) {
      const { value } = await events.next()
      expect(value?.event).toBe('update')
      for (const point of value?.data.steps ?? []) told.add(point.step)
    }
    for (let number = 11; number <= 20; number++) expect(told.has(number)).toBe(true)

    await dashboard?.close('stopped')
    expect((await events.next()).value?.data.progress.state).toBe('stopped')
    expect((await events.next()).done).toBe(true)
    await expect(fetch(url)).rejects.toThrow()
  })

  test('before the run there is a page that waits', async () => {
    dashboard = await startDashboard({ port: 0 })
    const { value } = await eventsOf(dashboard.url).next()
    expect(value).toMatchObject({ event: 'run', data: { title: 'Preparing', progress: { state: 'preparing' } } })
  })

  test('it serves its own files alone, to this machine alone', async () => {
    const { url } = await startRun()
    const page = await fetch(url)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    for (const [, path] of (await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g))
      expect((await fetch(url + path)).status).toBe(200)
    for (const path of ['/page.ts', '/../package.json', '/%2e%2e/dashboard.ts', '/constructor'])
      expect((await fetch(url + path)).status).toBe(404)
    expect((await fetch(url, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${url}/events`, { headers: { host: 'evil.example' } })).status).toBe(403)
  })

  test('a port that is taken is one clear line', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    await expect(startDashboard({ port })).rejects.toThrow(
      `--dashboard: port ${port} is taken; give another, such as --dashboard ${port + 1}.`,
    )
    other.close()
  })
})

test('updates come four times a second at most, and say how much time is left', () => {
  let time = 0
  const sent: Changes[] = []
  const { observer, progress } = runProgress(
    { recipe, data },
    changes => sent.push(changes),
    () => time,
  )
  for (let number = 1; number <= 10; number++, time += 100) observer.onStep?.(step(number))
  expect(sent.map(({ steps }) => steps.map(point => point.step))).toEqual([[1], [2, 3, 4], [5, 6, 7], [8, 9, 10]])
  expect(progress().secondsLeft).toBeCloseTo(1, 6) // ten steps of a tenth of a second
  observer.onEvaluationBatch?.(10)
  expect(progress()).toMatchObject({ state: 'evaluating', images: 10, totalImages: 20 })
  observer.onEpoch?.(epoch(1))
  expect(sent.at(-1)?.evaluations).toHaveLength(1)
  observer.onTestBatch?.(5)
  expect(progress()).toMatchObject({ state: 'testing', images: 5 })
  observer.onTest?.(epoch(1))
  expect(sent.at(-1)?.progress.testAccuracy).toBe(0.25)
})

test('a long history is thinned to means, and lines that are no JSON are passed over', () => {
  const path = join(out, 'long.jsonl')
  const line = (number: number, loss: number | null) =>
    JSON.stringify({ event: 'step', epoch: 1, step: number, lr: number, loss, imagesPerSecond: 10 })
  writeFileSync(path, `${line(1, 1)}\n${line(2, 3)}\n${line(3, null)}\n{"event":"st`)
  const { steps, evaluations } = parseHistory(readFileSync(path, 'utf8'))
  expect(evaluations).toEqual([])
  expect(thin(steps, 2)).toEqual([
    { step: 2, lr: 2, loss: 2, imagesPerSecond: 10 },
    { step: 3, lr: 3, loss: Number.NaN, imagesPerSecond: 10 },
  ])
  expect(parseHistory('')).toEqual({ steps: [], evaluations: [] })
})

const executablePath = installed(testChromium)

describe.skipIf(!executablePath)('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  }, 60_000)
  afterAll(() => browser?.close())

  const drawn = (page: Page, id: string): Promise<string | null> =>
    page.locator(`#${id} svg`).getAttribute('aria-label')

  test('the page draws, goes on by itself, and says how the run ended', async () => {
    const { url, tell } = await startRun()
    tell.onStep(step(1))
    tell.onStep(step(2))
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    await page.goto(url)
    await page.waitForSelector('#loss .curve')
    expect(await drawn(page, 'loss')).toContain('each step 1')
    expect(await page.title()).toBe(`10% ${out}`)

    for (let number = 3; number <= 10; number++) tell.onStep(step(number))
    tell.onEpoch(epoch(1))
    await page.waitForSelector('#accuracy .dot')
    expect(await drawn(page, 'accuracy')).toBe('Validation accuracy: top 1 25.0%, top 5 50.0%')
    expect(await drawn(page, 'loss')).toContain('each step 0.2')
    expect(await page.locator('#facts').textContent()).toContain('Step10 of 20')
    expect(await page.locator('#recipe').textContent()).toContain('"batchSize": 32')

    await dashboard?.close('finished')
    await page.locator('#state', { hasText: 'finished' }).waitFor()
    expect(complaints).toEqual([])
    await page.close()
  }, 60_000)
})
