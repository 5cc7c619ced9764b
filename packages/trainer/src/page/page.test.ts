/** Training in Chromium, its runs in OPFS: what Bun computes, whatever closes or kills the tab, and a page that is free. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { build, type Metafile } from 'esbuild'
import { unzipSync } from 'fflate'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { installed, chromium as testChromium } from '../../../core/test/browsers.ts'
import { cifarDataset } from '../../test/cifar-sample.ts'
import { pageRecipe } from '../../test/page-recipe.ts'
import type { PageRun, PageState, PageTraining } from '../../test/training-page.ts'
import { startRun } from '../run/start-run.ts'

const executablePath = installed(testChromium)

declare const training: PageTraining

const root = join(import.meta.dir, '../../../..')
const sample = join(root, 'examples/cifar10-sample')
const folder = mkdtempSync(join(tmpdir(), 'vitral-page-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A quarter of each class is held out: 49 images to train on, in 7 batches an epoch. */
const images = 64

/** The sources that a page loads at once. */
function inputsOf({ outputs }: Metafile, entry: string): string[] {
  const all = new Set(Object.keys(outputs).filter(path => path.endsWith(entry)))
  for (const path of all)
    for (const { path: other, kind } of outputs[path]?.imports ?? []) if (kind === 'import-statement') all.add(other)
  return [...all].flatMap(path => Object.keys(outputs[path]?.inputs ?? {}))
}

describe.skipIf(!executablePath)('in Chromium', () => {
  let server: ReturnType<typeof Bun.serve>
  let browser: Browser
  let context: BrowserContext
  let complaints: string[]
  let pageInputs: string[]

  beforeAll(async () => {
    const { metafile } = await build({
      entryPoints: {
        'training-page': join(root, 'packages/trainer/test/training-page.ts'),
        'training-worker': join(root, 'packages/trainer/test/training-worker.ts'),
        worker: join(root, 'packages/datasets/src/loader/worker.ts'),
      },
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'browser', // nothing of Node may be needed
      conditions: ['bun'], // the sources, so that no build is needed first
      metafile: true,
      logLevel: 'error',
    })
    pageInputs = inputsOf(metafile, 'training-page.js')
    complaints = []
    server = Bun.serve({ port: 0, fetch: serve })
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
    context = await browser.newContext()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop(true)
  })

  function serve(request: Request): Response {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/cifar/')) return new Response(Bun.file(join(sample, pathname.slice(7))))
    if (pathname !== '/') return new Response(Bun.file(join(folder, pathname)))
    const html =
      '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/training-page.js"></script>'
    return new Response(html, { headers: { 'content-type': 'text/html' } })
  }

  async function openPage(): Promise<Page> {
    const page = await context.newPage()
    page.on('pageerror', error => complaints.push(error.message))
    await page.goto(server.url.href)
    await page.waitForFunction('globalThis.training')
    return page
  }

  /** As the system does where memory runs out. */
  async function killRenderer(page: Page): Promise<void> {
    const crashed = page.waitForEvent('crash')
    const session = await browser.newBrowserCDPSession()
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) process.kill(id, 'SIGKILL')
    await session.detach()
    await crashed
  }

  const start = (page: Page, run: PageRun): Promise<void> => page.evaluate(run => training.start(run), run)
  const stateOf = (page: Page, out: string): Promise<PageState> =>
    page.evaluate(out => training.state(out), out) as Promise<PageState>

  /** Waits until a run has come so far. */
  async function reached(page: Page, out: string, is: (state: PageState) => boolean): Promise<PageState> {
    for (;;) {
      const state = await stateOf(page, out)
      if (is(state) || state.error !== undefined) return state
      await Bun.sleep(20)
    }
  }

  async function finished(page: Page, out: string): Promise<PageState> {
    const state = await reached(page, out, ({ result }) => result !== undefined)
    expect(state.error).toBeUndefined()
    return state
  }

  const endingOf = (page: Page, out: string) => page.evaluate(out => training.ending(out), out)
  const lossesOf = (page: Page, out: string) => page.evaluate(out => training.loggedLosses(out), out)

  test('the page that starts runs has no tensor engine to be held up by', () => {
    expect(pageInputs.some(path => path.endsWith('page/train-in-worker.ts'))).toBe(true)
    expect(pageInputs.filter(path => /tensorflow/.test(path))).toEqual([])
  })

  const whole: PageRun = { recipe: pageRecipe, out: 'runs/whole', images }
  let expected: Awaited<ReturnType<typeof endingOf>>

  test('a run has the losses that Bun has, and its folder what a run has', async () => {
    const page = await openPage()
    await start(page, whole)
    const { started, steps, evaluations, result } = await finished(page, whole.out)
    expect(started).toMatchObject({ trainImages: 49, evaluationImages: 15, epochs: 2, stepsPerEpoch: 7, step: 0 })
    expect(started?.backend.name).toBe('cpu')
    expect([steps.length, evaluations, result?.finished]).toEqual([14, 2, true])

    await useBackend('cpu')
    const data = await cifarDataset(readFileSync(join(sample, 'data_batch_1.bin')), images)
    const losses: number[] = []
    const run = await startRun({
      ...{ recipe: pageRecipe, data, out: join(folder, 'bun') },
      observers: [{ onStep: ({ loss }) => void losses.push(loss) }],
    })
    await run.trainer.train()
    await run.trainer.close()
    run.model.dispose()
    // Engines round exp and tanh differently in the last digit; the first step differs by that, later ones by what became of it.
    expect(steps.length).toBe(losses.length)
    for (const [i, { loss }] of steps.entries()) expect(Math.abs(loss - (losses[i] as number))).toBeLessThan(1e-5)

    expected = await endingOf(page, whole.out)
    expect(Object.keys(expected).sort()).toEqual(['best/model.safetensors', 'files', 'last/model.safetensors'])
    for (const file of [
      'best/config.json',
      'best/preprocessor_config.json',
      'recipe.json',
      'metrics.jsonl',
      'report.html',
    ])
      expect(expected.files).toContain(file)
    expect(expected.files).toContain('checkpoints/step.safetensors')
    const report = await page.evaluate(path => training.readText(path), `${whole.out}/report.html`)
    expect(report).toContain('data:image/png;base64,')
    expect(
      await page.evaluate(async out => [await training.hasRun(out), await training.hasRun('runs/none')], whole.out),
    ).toEqual([true, false])
    await page.close()
  }, 120_000)

  test.each(['closed', 'killed'] as const)(
    'a run whose tab was %s in an epoch ends with the same bits',
    async how => {
      const run = { ...whole, out: `runs/${how}`, checkpointEvery: 3, pauseAt: 5 } // the pause holds it there, whatever the machine's speed
      let page = await openPage()
      await start(page, run)
      await reached(page, run.out, ({ steps }) => steps.length >= 5)
      if (how === 'killed') await killRenderer(page)
      await page.close()
      page = await openPage()
      await start(page, { ...run, resume: true, pauseAt: undefined })
      const { started } = await finished(page, run.out)
      expect(started?.step).toBe(3)
      expect(await endingOf(page, run.out)).toEqual(expected)
      expect((await lossesOf(page, run.out)).map(([step]) => step)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1))
      expect(await lossesOf(page, run.out)).toEqual(await lossesOf(page, whole.out))
      await page.close()
    },
    120_000,
  )

  test('a run whose tab was closed while it wrote a checkpoint goes on from the one before', async () => {
    const run = { ...whole, out: 'runs/torn', checkpointEvery: 2, hangs: 2 }
    let page = await openPage()
    await start(page, run)
    await reached(page, run.out, ({ hangs }) => hangs)
    await page.close()
    page = await openPage()
    await start(page, { ...run, resume: true, hangs: undefined })
    const { started, warnings } = await finished(page, run.out)
    expect([started?.step, warnings]).toEqual([4, []])
    expect(await endingOf(page, run.out)).toEqual(expected)
    await page.close()
  }, 120_000)

  test('a paused run is held, a stopped one saved, and both go on to the same bits', async () => {
    const run = { ...whole, out: 'runs/stopped', pauseAt: 2 }
    const page = await openPage()
    await start(page, run)
    await reached(page, run.out, ({ steps }) => steps.length >= 2)
    await page.evaluate(out => training.stop(out), run.out)
    const stopped = await finished(page, run.out)
    expect(stopped.result).toMatchObject({ finished: false, epochs: 0 })
    expect(stopped.result?.steps).toBeLessThan(14)

    await start(page, { ...run, resume: true, pauseAt: 9 })
    await reached(page, run.out, ({ steps }) => steps.some(({ step }) => step >= 9))
    await page.evaluate(out => training.resume(out), run.out)
    expect((await finished(page, run.out)).result?.finished).toBe(true)
    expect(await endingOf(page, run.out)).toEqual(expected)
    await page.close()
  }, 120_000)

  test('two tabs cannot train the same run, and a run can be removed', async () => {
    const run = { ...whole, out: 'runs/locked', pauseAt: 1 }
    const [first, second] = [await openPage(), await openPage()]
    await start(first, run)
    await reached(first, run.out, ({ steps }) => steps.length >= 1)
    await start(second, { ...run, resume: true })
    const { error } = await reached(second, run.out, () => false)
    expect(error).toBe('runs/locked is in use by another tab or worker of this site; close it, or stop its run, first.')
    await first.close()
    await start(second, { ...run, out: 'runs/locked', resume: false })
    expect((await reached(second, run.out, () => false)).error).toContain('runs/locked already holds a training run')
    await second.evaluate(out => training.removeRun(out), run.out)
    expect(await second.evaluate(out => training.hasRun(out), run.out)).toBe(false)
    await second.close()
  }, 120_000)

  test('an error of a run reaches the page with its message', async () => {
    const page = await openPage()
    await start(page, { recipe: pageRecipe, out: 'runs/one', images: 'one class' })
    const { error } = await reached(page, 'runs/one', () => false)
    expect(error).toContain('All training images are of one class, only.')
    expect(await page.evaluate(() => training.hasRun('runs/one'))).toBe(false)
    await page.close()
  }, 60_000)

  test('the zip of a model opens as a folder that computes the same', async () => {
    const page = await openPage()
    const zip = Uint8Array.from(await page.evaluate(() => training.zipped('runs/whole/best', 'tiny')))
    for (const [path, bytes] of Object.entries(unzipSync(zip))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), bytes)
    }
    const sum = new Bun.CryptoHasher('sha256')
      .update(readFileSync(join(folder, 'tiny/model.safetensors')))
      .digest('hex')
    expect(sum).toBe(expected['best/model.safetensors'] as string)
    await useBackend('cpu')
    const model = await ViTForImageClassification.fromPretrained(join(folder, 'tiny'))
    expect(model.config.id2label[3]).toBe('cat')
    expect((await ViTImageProcessor.fromPretrained(join(folder, 'tiny'))).config.imageMean).toEqual([
      0.4914, 0.4822, 0.4465,
    ])
    model.dispose()
    await page.close()
  }, 60_000)

  test.each(['head', 'lora', 'all'] as const)(
    'fine-tuning of dropped images (%s) learns them',
    async tune => {
      const out = `runs/tuned-${tune}`
      const page = await openPage()
      const set = ['epochs=4', 'batchSize=4', 'optimizer.lr=0.01', 'seed=1']
      await start(page, {
        recipe: { model: 'runs/whole/best', tune, augment: 'none', set },
        out,
        images: 'colours',
        workers: 1,
      })
      const { started, result } = await finished(page, out)
      expect(started?.labels).toEqual(['blue', 'red'])
      expect(started?.parameters.trainable === started?.parameters.total).toBe(tune === 'all')
      expect(started?.notes.join('\n')).toContain(
        'The classifier is newly initialized, since runs/whole/best has other classes',
      )
      expect(result?.best && 'accuracy' in result.best && result.best.accuracy).toBe(1)
      const { files } = await endingOf(page, out)
      expect(files?.includes('adapters/adapter_model.safetensors')).toBe(tune === 'lora')
      await page.close()
    },
    120_000,
  )

  test('a run on images that were kept goes on in another tab without their being given again', async () => {
    const set = ['epochs=2', 'batchSize=4', 'seed=1']
    const recipe = { model: 'runs/whole/best', tune: 'head', augment: 'none', set } as const
    const once: PageRun = { recipe, out: 'runs/given', images: 'colours', workers: 1 }
    let page = await openPage()
    await start(page, once)
    await finished(page, once.out)
    expect(await page.evaluate(() => training.keptIn('images/none'))).toBeUndefined()
    expect(await page.evaluate(() => training.keep())).toBe(24)
    const run: PageRun = { ...once, out: 'runs/kept', images: 'kept', checkpointEvery: 2, pauseAt: 3 }
    await start(page, run)
    await reached(page, run.out, ({ steps }) => steps.length >= 3)
    await page.close()
    page = await openPage()
    await start(page, { ...run, resume: true, pauseAt: undefined })
    expect((await finished(page, run.out)).started?.step).toBe(2)
    const [kept, given] = await Promise.all([run.out, once.out].map(out => endingOf(page, out)))
    expect(kept?.['best/model.safetensors']).toBe(given?.['best/model.safetensors'] as string)
    await page.close()
  }, 120_000)

  test('no page has thrown anything', () => {
    expect(complaints).toEqual([])
  })
})
