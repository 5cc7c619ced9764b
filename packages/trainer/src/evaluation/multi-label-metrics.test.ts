/** Images that may have several classes: metrics against plain loops, and a run from a list to predictions. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { transforms } from '@vitral/datasets'
import { png } from '../../test/png.ts'
import { predict } from '../cli/predict.ts'
import { defineRecipe, type RecipeOptions } from '../recipe/recipe.ts'
import { assemble } from '../run/assemble.ts'
import { startRun } from '../run/start-run.ts'
import { MultiLabelGatherer } from './multi-label-metrics.ts'

beforeAll(() => useBackend('cpu'))

const add = (gatherer: MultiLabelGatherer, logits: Float32Array, targets: Float32Array, K: number): void => {
  const softLabels = { data: targets, shape: [targets.length / K, K] as [number, number] }
  for (const score of gatherer.scores(logits, { softLabels })) gatherer.addScore(score)
}

describe('MultiLabelGatherer', () => {
  test('MultiLabelGatherer has the values of the definitions, on an example worked out by hand', () => {
    const gatherer = new MultiLabelGatherer(['a', 'b', 'c'])
    add(gatherer, Float32Array.of(2, -1, -3), Float32Array.of(1, 0, 0), 3) // all right
    add(gatherer, Float32Array.of(1, 3, -1, -2, 1, -1), Float32Array.of(0, 1, 0, 1, 0, 0), 3)
    const { accuracy, loss, count, perClass, macroF1, microF1, meanAveragePrecision } = gatherer.result()
    expect({ accuracy, count }).toEqual({ accuracy: 1 / 3, count: 3 })
    // a: ranked 2 (yes), 1 (no), −2 (yes): ½·1 + ½·⅔; b: 3 (yes) first; c: in no image.
    expect(perClass.map(({ averagePrecision }) => averagePrecision)).toEqual([0.5 + 1 / 3, 1, null])
    expect(meanAveragePrecision).toBeCloseTo((5 / 6 + 1) / 2, 12)
    expect(perClass[0]).toMatchObject({ count: 2, precision: 0.5, recall: 0.5, f1: 0.5 })
    expect(perClass[1]).toMatchObject({ count: 1, precision: 0.5, recall: 1, f1: 2 / 3 })
    expect(perClass[2]).toMatchObject({ count: 0, precision: null, recall: null, f1: null })
    expect(macroF1).toBeCloseTo((0.5 + 2 / 3) / 2, 12)
    expect(microF1).toBeCloseTo((2 * 2) / (4 + 3), 12)
    const [logits, targets] = [
      [2, -1, -3, 1, 3, -1, -2, 1, -1],
      [1, 0, 0, 0, 1, 0, 1, 0, 0],
    ] as const
    const terms = logits.map((x, i) => -Math.log(targets[i] === 1 ? 1 / (1 + Math.exp(-x)) : 1 / (1 + Math.exp(x))))
    expect(loss).toBeCloseTo(terms.reduce((total, term) => total + term, 0) / 9, 12)
  })

  test('equal scores are ranked together', () => {
    const gatherer = new MultiLabelGatherer(['a'])
    add(gatherer, Float32Array.of(1, 1, 1, 1), Float32Array.of(1, 0, 0, 0), 1)
    expect(gatherer.result().meanAveragePrecision).toBe(0.25)
  })

  test('needs an image', () => {
    expect(() => new MultiLabelGatherer(['a']).result()).toThrow('There is no image to evaluate')
  })
})

describe('a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-multi-label-'))
  const list = join(folder, 'images.jsonl')
  const toPixelValues = [transforms.toTensor(), transforms.normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]
  const options: RecipeOptions = {
    model: {
      config: { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, mlpRatio: 2, imageSize: 16, patchSize: 8 },
    },
    dataset: 'manifest',
    validation: 'test',
    transforms: { train: toPixelValues, evaluation: toPixelValues },
    batchSize: 16,
    epochs: 6,
    optimizer: { name: 'adam', lr: 3e-3 },
    loss: { name: 'binary-cross-entropy' },
  }

  /** Red in the upper half, blue in the lower one, or both, or neither. */
  beforeAll(() => {
    mkdirSync(join(folder, 'images'))
    const lines: string[] = []
    for (let i = 0; i < 96; i++) {
      const labels = [...(i & 1 ? ['red'] : []), ...(i & 2 ? ['blue'] : [])]
      const path = `images/${i}.png`
      const shade = (x: number, y: number): number => 20 + ((i * 31 + x * 17 + y * 7) % 40)
      const image = png(16, 16, (x, y) => {
        const dark = shade(x, y)
        return y < 8 ? [i & 1 ? 200 : dark, dark, dark] : [dark, dark, i & 2 ? 200 : dark]
      })
      writeFileSync(join(folder, path), image)
      lines.push(JSON.stringify({ path, labels, split: i < 72 ? 'train' : 'test' }))
    }
    writeFileSync(list, `${lines.join('\n')}\n`)
  })

  test('a run learns which classes are in an image, and its model tells them each by itself', async () => {
    const out = join(folder, 'run')
    const { trainer, model } = await startRun({ recipe: defineRecipe(options), data: list, out })
    const { best } = await trainer.train()
    await trainer.close()
    model.dispose()
    expect(best?.accuracy).toBeGreaterThan(0.9) // chance is a quarter
    const epochs = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(epochs.at(-1)).toMatchObject({ event: 'epoch', count: 24, meanAveragePrecision: expect.any(Number) })
    const config = JSON.parse(readFileSync(join(out, 'best/config.json'), 'utf8'))
    expect(config).toMatchObject({ problem_type: 'multi_label_classification', id2label: { 0: 'blue', 1: 'red' } })
    const reopened = await ViTForImageClassification.fromPretrained(join(out, 'best'))
    expect(reopened.config.problemType).toBe('multi_label_classification')
    reopened.dispose()
    const printed: string[] = []
    const write = process.stdout.write
    process.stdout.write = (text: string | Uint8Array) => printed.push(String(text)) > 0
    try {
      const both = join(folder, 'images/95.png')
      expect(await predict.run(['--model', join(out, 'best'), both, '--backend', 'cpu', '--json'])).toBe(0)
    } finally {
      process.stdout.write = write
    }
    const [{ predictions }] = JSON.parse(printed.join(''))
    for (const { score } of predictions) expect(score).toBeGreaterThan(0.5) // as softmax they would share 1
  })

  test('a run refuses a loss that supposes one class, and balancing by class', async () => {
    const prepare = (changed: Partial<RecipeOptions>) =>
      assemble({ recipe: defineRecipe({ ...options, ...changed }), data: list })
    await expect(prepare({ loss: { name: 'cross-entropy' } })).rejects.toThrow(
      "loss.name is 'cross-entropy', which supposes that an image has one class; of images that may have several, expected 'binary-cross-entropy'.",
    )
    await expect(prepare({ distillation: { teacher: 'x' } })).rejects.toThrow('expected no distillation')
    await expect(prepare({ sampler: { name: 'class-balanced' } })).rejects.toThrow('cannot be balanced by class')
    rmSync(folder, { recursive: true })
  })
})
