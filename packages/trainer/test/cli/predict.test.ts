/** `vitral predict` as a process: many images, formats, single labels, regression, features. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProblemType, useBackend, ViTForImageClassification, ViTImageProcessor, ViTModel } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'
import { encodePicture } from '@vitral/datasets/inspect'

const folder = mkdtempSync(join(tmpdir(), 'vitral-predict-'))
const at = (...path: string[]) => join(folder, ...path)
const config = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, imageSize: 16 }
const size = { height: 16, width: 16 }

async function vitral(args: string[], stdin?: Uint8Array) {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), 'predict', '--backend', 'cpu', ...args],
    { cwd: folder, stdin: stdin ?? 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

async function picture(name: string, color: readonly number[]): Promise<void> {
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => color[i % 3] as number)
  writeFileSync(at(name), (await encodePicture({ data, width: 16, height: 16, channels: 3 })).bytes)
}

async function save(name: string, id2label: Record<number, string>, problemType: ProblemType | null = null) {
  const fields = { ...config, patchSize: 8, initializerRange: 0.5, id2label, problemType }
  const model = new ViTForImageClassification(fields, { seed: 3 })
  await model.savePretrained(at(name))
  await new ViTImageProcessor({ size }).savePretrained(at(name))
  return model
}

const models: Record<string, ViTForImageClassification> = {}

beforeAll(async () => {
  await useBackend('cpu')
  mkdirSync(at('photos'))
  await picture('photos/red.png', [220, 30, 30])
  await picture('photos/blue.png', [30, 30, 220])
  writeFileSync(at('photos/bad.jpg'), '')
  writeFileSync(at('photos/notes.txt'), 'no image')
  models.two = await save('two', { 0: 'cat', 1: '\u001b]0;owned\u0007dog\n100.00%  cat' })
  models.one = await save('one', { 0: 'defect' })
  models.regression = await save('regression', { 0: 'age', 1: 'height' }, 'regression')
  models.many = await save('many', { 0: 'dog', 1: 'night' }, 'multi_label_classification')
  const { parameters } = { parameters: models.two.parameters() }
  const bare = new ViTModel({ ...config, patchSize: 8 })
  for (const [name, parameter] of bare.parameters()) parameter.assign(parameters.get(`vit.${name}`) as never)
  await bare.savePretrained(at('headless'))
  await new ViTImageProcessor({ size }).savePretrained(at('headless'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the model itself computes. */
async function outputOf(
  model: ViTForImageClassification,
  image: string,
): Promise<{ logits: number[]; features: number[] }> {
  const pixels = await new ViTImageProcessor({ size }).preprocess([await decodeImage(at(image))])
  const { logits, features } = model.forward(pixels, { outputFeatures: true })
  return { logits: [...(await logits.data())], features: [...((await features?.data()) ?? [])] }
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit))

test('a broken image is a line on the standard error, the others have their results, and the exit code is 1', async () => {
  const images = ['photos/red.png', 'photos/bad.jpg', 'photos/blue.png']
  const { stdout, stderr, code } = await vitral(['--model', 'two', '--json', ...images])
  expect(code).toBe(1)
  expect(JSON.parse(stdout).map(({ image }: { image: string }) => image)).toEqual(['photos/red.png', 'photos/blue.png'])
  expect(stderr.split('\n')).toEqual([
    'vitral predict: photos/bad.jpg is empty; expected an image file.',
    'vitral predict: 1 of 3 could not be read.',
    '',
  ])
})

test('folders, patterns and the standard input are images, in every format', async () => {
  const lines = await vitral(['--model', 'two', '--format', 'jsonl', '--top-k', '1', '--batch-size', '2', 'photos'])
  expect(
    lines.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).image),
  ).toEqual(['photos/blue.png', 'photos/red.png'])
  expect(lines.stderr).toContain('vitral predict: photos/bad.jpg is empty')
  expect(lines.stderr).toContain('1 files that are no images by their names, such as photos/notes.txt')
  const table = await vitral(['--model', 'many', '--format', 'csv', 'photos/*.png'])
  expect(table).toMatchObject({ code: 0, stderr: '' })
  expect(table.stdout.split('\n')).toHaveLength(1 + 2 * 2 + 1)
  expect(table.stdout).toStartWith('image,label,score\nphotos/blue.png,')
  const piped = await vitral(['--model', 'two', '--json', '-'], readFileSync(at('photos/red.png')))
  const named = await vitral(['--model', 'two', '--json', 'photos/red.png'])
  expect(JSON.parse(piped.stdout)).toEqual([{ ...JSON.parse(named.stdout)[0], image: '-' }])
})

test('a single label has the sigmoid of its logit, regression its values, several labels a sigmoid each', async () => {
  const scoresOf = async (name: string): Promise<Record<string, number>> => {
    const { stdout } = await vitral(['--model', name, '--json', 'photos/red.png'])
    const [{ predictions }] = JSON.parse(stdout)
    return Object.fromEntries(predictions.map(({ label, score }: { label: string; score: number }) => [label, score]))
  }
  for (const [name, expected] of [
    ['one', sigmoid],
    ['regression', (logit: number) => logit],
    ['many', sigmoid],
  ] as const) {
    const model = models[name] as ViTForImageClassification
    const [found, { logits }] = [await scoresOf(name), await outputOf(model, 'photos/red.png')]
    for (const [i, logit] of logits.entries())
      expect(found[model.config.id2label[i] as string]).toBeCloseTo(expected(logit), 4)
  }
  const { stdout } = await vitral(['--model', 'regression', 'photos/red.png'])
  expect(stdout).not.toContain('%')
})

test('features are those of the class token, with a classifier and without', async () => {
  const { features } = await outputOf(models.two as ViTForImageClassification, 'photos/red.png')
  for (const name of ['two', 'headless']) {
    const { stdout, stderr, code } = await vitral(['--model', name, '--embed', '--json', 'photos/red.png'])
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const [found] = JSON.parse(stdout)
    expect(Object.keys(found)).toEqual(['image', 'features'])
    expect(found.features).toHaveLength(16)
    for (const [i, value] of features.entries()) expect(found.features[i]).toBeCloseTo(value, 4)
  }
  const { stdout } = await vitral(['--model', 'headless', '--embed', 'photos/red.png', 'photos/blue.png'])
  expect(stdout.trimEnd().split('\n')).toHaveLength(2)
})

test('class names and file names reach the terminal with their control characters written out', async () => {
  writeFileSync(at('\u001b[2J.png'), readFileSync(at('photos/red.png')))
  const { stdout, stderr } = await vitral(['--model', 'two', '\u001b[2J.png', '\u001b[1mmissing\n.png'])
  for (const text of [stdout, stderr]) expect(text).not.toMatch(/[^\P{Cc}\n]/u)
  expect(stdout.trimEnd().split('\n')).toHaveLength(3)
  expect(stdout).toContain('\\u001b]0;owned\\u0007dog\\n100.00%  cat')
  expect(stderr).toContain('\\u001b[1mmissing\\n.png')
})

test.each([
  [['--model', 'headless', 'x.png'], 'The model in headless has no classifier; expected one, or --embed'],
  [['--model', 'two', '--format', 'xml', 'x.png'], "--format is 'xml'; expected one of text, json, jsonl, csv."],
  [['--model', 'two', '--json', '--format', 'csv', 'x.png'], 'Both --json and --format csv are given'],
  [['--model', 'two', '--embed', '--format', 'text', 'x.png'], '--format is text, which has no features'],
  [['--model', 'two', '--max-pixels', 'many', 'x.png'], "--max-pixels is 'many'; expected a whole number"],
])('%j is refused in one line', async (args, message) => {
  const { stdout, stderr, code } = await vitral(args)
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  expect(stderr).toMatch(/^vitral predict: [^\n]+\n$/)
  expect(stderr).toContain(message)
})

test('--max-pixels raises the limit that the error names', async () => {
  const refused = await vitral(['--model', 'two', '--max-pixels', '255', 'photos/red.png'])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('it has 16×16 pixels, more than --max-pixels, 255; raise it if that is meant.')
  expect(await vitral(['--model', 'two', '--max-pixels', '256', 'photos/red.png'])).toMatchObject({
    code: 0,
    stderr: '',
  })
})
