/** The page about a run: what is on it, that it needs nothing else, and that names of strangers stay text. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExampleImages } from '../evaluation/example-images.ts'
import { MetricsGatherer } from '../evaluation/metrics.ts'
import { MultiLabelGatherer } from '../evaluation/multi-label-metrics.ts'
import { recipes } from '../recipes/index.ts'
import { runPaths } from '../run/folder.ts'
import { confusionTable } from './confusion-table.ts'
import { readEvaluation, writeEvaluation } from './evaluation-file.ts'
import { roundNumbers, thin } from './line-chart.ts'
import { makeReport, writeReport } from './report.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-report-'))
const out = join(folder, 'run')
const paths = runPaths(out)
const labels = ['cat', '<script>alert(1)</script>', 'dog']
const normalization = { imageMean: [0.5, 0.5, 0.5], imageStd: [0.25, 0.25, 0.25] }

/** Images of 2×2 pixels; logits that are surer the later the image. */
const batch = {
  pixelValues: {
    data: Float32Array.from({ length: 48 }, (_, i) => (i % 12 < 4 ? 2 : -2)),
    shape: [4, 3, 2, 2] as [number, number, number, number],
  },
  labels: Int32Array.of(0, 1, 2, 0),
  indices: Int32Array.of(10, 11, 12, 13),
}
const logits = Float32Array.of(1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 4, 0)

beforeAll(async () => {
  mkdirSync(out)
  writeFileSync(
    paths.config,
    JSON.stringify({ recipe: recipes['cifar10-micro'], environment: { cpu: 'A <b>processor</b>' } }),
  )
  const steps = Array.from({ length: 3000 }, (_, i) => ({
    ...{ event: 'step', epoch: 1, step: i + 1, lr: 1e-3, loss: 3 / (i + 1), imagesPerSecond: 100 },
  }))
  const epochs = [1, 2].map(epoch => ({
    ...{ event: 'epoch', epoch, step: epoch * 1500, loss: 1, accuracy: epoch / 4, top5: 0.9, seconds: epoch * 60 },
  }))
  writeFileSync(paths.metrics, [...steps, ...epochs].map(line => JSON.stringify(line)).join('\n'))
  const gatherer = new MetricsGatherer(labels)
  for (const score of gatherer.scores(logits, batch)) gatherer.addScore(score)
  const examples = new ExampleImages(2)
  examples.add(batch, logits)
  const evaluation = { ...gatherer.result(), seconds: 1, imagesPerSecond: 4 }
  await writeEvaluation(paths.evaluation, { epoch: 2, images: 'test', evaluation, examples }, normalization)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('examples', () => {
  test('examples are the surest mistakes and hits, surest first, as the model saw them', async () => {
    const { mistakes, hits } = (await readEvaluation(paths.evaluation)) as NonNullable<
      Awaited<ReturnType<typeof readEvaluation>>
    >
    expect(mistakes.map(({ index, label, taken }) => [index, label, taken])).toEqual([
      [13, 0, 1],
      [11, 1, 0],
    ])
    expect(hits.map(({ index }) => index)).toEqual([12, 10])
    expect(hits[0]?.confidence).toBeCloseTo(Math.exp(3) / (Math.exp(3) + 2), 6)
  })

  test('examples are drawn with their pixels', async () => {
    const { decodeImage } = await import('@vitral/datasets')
    const [picture] = ((await readEvaluation(paths.evaluation))?.hits ?? []).map(hit => hit.picture)
    const bytes = Buffer.from((picture as string).replace(/^data:image\/png;base64,/, ''), 'base64')
    const { data, width, height } = await decodeImage(new Uint8Array(bytes))
    expect({ width, height }).toEqual({ width: 2, height: 2 })
    // 2 · 0.25 + 0.5 is white, −2 · 0.25 + 0.5 black: the first plane is red.
    expect([...data.subarray(0, 3)]).toEqual([255, 0, 0])
  })

  test('the first examples of equal confidence stay, and no more are kept than are wanted', () => {
    const examples = new ExampleImages(1)
    examples.add(batch, Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0))
    expect(examples.hits.map(({ index }) => index)).toEqual([10])
    expect(examples.mistakes).toEqual([])
  })
})

describe('the page', () => {
  test('the page has every part, and needs nothing from elsewhere', async () => {
    const page = readFileSync(await writeReport(out), 'utf8')
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, heading]) => heading)
    expect(headings).toEqual([
      ...['Training', 'Confusion matrix', 'Classes', 'How sure it is', 'Images', 'Time', 'Recipe', 'Environment'],
    ])
    expect(page).toContain('<dt>Accuracy</dt><dd>50.00%</dd>')
    expect(page).toContain('<dt>Measured on</dt><dd>4 test images</dd>')
    expect(page).not.toMatch(/(src|href)="(?!data:)/)
    expect(page).not.toContain('<script')
    expect(page).toContain('&#60;script&#62;alert(1)')
    expect(page).toContain('A &#60;b&#62;processor')
    expect(page.length).toBeLessThan(200_000)
  })

  test('the page says that a loss was no number, which JSON keeps as null', async () => {
    const lost = join(folder, 'lost')
    mkdirSync(lost)
    writeFileSync(runPaths(lost).config, readFileSync(paths.config))
    const epoch = { event: 'epoch', epoch: 1, step: 5, loss: null, accuracy: 0.1, top5: 0.5, seconds: 1 }
    writeFileSync(runPaths(lost).metrics, `${JSON.stringify(epoch)}\n`)
    expect(await makeReport(lost)).toContain('not a number')
  })

  test('the page of a run without an evaluation has what there is', async () => {
    const young = join(folder, 'young')
    mkdirSync(young)
    writeFileSync(runPaths(young).config, readFileSync(paths.config))
    const page = await makeReport(young)
    expect([...page.matchAll(/<h2>([^<]*)/g)].map(([, heading]) => heading)).toEqual(['Recipe', 'Environment'])
  })

  test('the page of images that may have several classes has their figures', async () => {
    const several = join(folder, 'several')
    mkdirSync(several)
    writeFileSync(runPaths(several).config, readFileSync(paths.config))
    const gatherer = new MultiLabelGatherer(labels)
    gatherer.addScore([1, -1, 1, 1, 0, 0])
    const evaluation = { ...gatherer.result(), seconds: 1, imagesPerSecond: 1 }
    const rest = { epoch: 1, images: 'validation' as const, evaluation, examples: new ExampleImages() }
    await writeEvaluation(runPaths(several).evaluation, rest, normalization)
    const page = await makeReport(several)
    expect(page).toContain('Mean average precision')
    expect(page).not.toContain('Confusion matrix')
  })

  test('the report refuses folders that are no runs', async () => {
    await expect(makeReport(folder)).rejects.toThrow(
      'holds no training run: it has no recipe.json; expected the --out of vitral train',
    )
  })
})

test('the confusion matrix of many classes shows those with the most mistakes', () => {
  const K = 50
  const confusion = Array.from({ length: K }, (_, k) => Array.from({ length: K }, (_, taken) => (k === taken ? 9 : 0)))
  ;(confusion[7] as number[])[33] = 5
  const perClass = Array.from({ length: K }, (_, k) => ({
    ...{ label: `class ${k}`, count: 9, accuracy: 1, precision: 1, recall: 1, f1: 1 },
  }))
  const html = confusionTable({ confusion, perClass })
  expect(html.match(/<tr>/g)).toHaveLength(21)
  expect(html).toContain('class 33')
  expect(html).toContain('Of 50 classes the 20 with the most mistakes.')
})

test('charts have round numbers and means', () => {
  expect(roundNumbers(0, 1, 4)).toEqual([0, 0.5, 1])
  expect(roundNumbers(0, 2.71, 4)).toEqual([0, 1, 2])
  expect(roundNumbers(120, 980, 5)).toEqual([200, 400, 600, 800])
  expect(roundNumbers(3, 3, 4)).toEqual([3])
  expect(
    thin(
      [
        [1, 1],
        [2, 3],
        [3, 5],
      ],
      2,
    ),
  ).toEqual([
    [2, 2],
    [3, 5],
  ])
})
