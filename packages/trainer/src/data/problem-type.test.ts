/** Data and problem type go together, or are refused; a regression trains on numbers. */
import { beforeAll, expect, test } from 'bun:test'
import { type ProblemType, useBackend, ViTForImageClassification } from '@vitral/core'
import { evaluate } from '../evaluation/evaluate.ts'
import { createOptimizer } from '../optimizers/index.ts'
import type { ImageBatch } from '../step/batch.ts'
import { trainStep } from '../step/train-step.ts'
import { problemTypeOfData } from './problem-type.ts'

beforeAll(() => useBackend('auto'))

const modelOf = (problemType: ProblemType | null, initializerRange = 0.02): ViTForImageClassification =>
  new ViTForImageClassification(
    {
      ...{ hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, imageSize: 8, patchSize: 4 },
      ...{ numChannels: 1, numLabels: 2, problemType, initializerRange },
    },
    { seed: 1 },
  )

/** Two images, a dark one and a bright one, and two numbers of each. */
const batch: ImageBatch = {
  pixelValues: { data: Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? -1 : 1)), shape: [2, 1, 8, 8] },
  labels: Int32Array.of(0, 1),
  softLabels: { data: Float32Array.of(-2, 5, 3, 0.5), shape: [2, 2] },
}

async function* only(batch: ImageBatch): AsyncGenerator<ImageBatch> {
  yield batch
}

test('the problem type of data is theirs, unless the model has another', () => {
  expect(problemTypeOfData(null, {})).toBe('single_label_classification')
  expect(problemTypeOfData('multi_label_classification', { multiLabel: true })).toBe('multi_label_classification')
  expect(() => problemTypeOfData('single_label_classification', { multiLabel: true })).toThrow(
    "The model's problem type is 'single_label_classification', but the images of the data set may have several classes",
  )
})

test('trainStep trains a regression on numbers', async () => {
  const model = modelOf('regression')
  const optimizer = createOptimizer('adamw', model.parameters(), { lr: 0.02, weightDecay: 0 })
  const losses: number[] = []
  for (let seed = 0; seed < 80; seed++) losses.push((await trainStep(model, optimizer, batch, { seed })).loss)
  expect(losses[0]).toBeGreaterThan(5) // close to the mean of the numbers' squares, 9.56
  expect(losses.at(-1)).toBeLessThan(0.5)
})

test('trainStep follows the problem type where it has no loss of its own', async () => {
  const lossOf = async (problemType: ProblemType): Promise<number> => {
    const model = modelOf(problemType, 1e-4) // so that its logits are near zero
    const optimizer = createOptimizer('adamw', model.parameters(), { lr: 0, weightDecay: 0 })
    const softLabels = { data: Float32Array.of(1, 1, 0, 1), shape: [2, 2] as [number, number] }
    return (await trainStep(model, optimizer, { ...batch, softLabels }, { seed: 0 })).loss
  }
  expect(await lossOf('multi_label_classification')).toBeCloseTo(Math.log(2), 1)
  expect(await lossOf('regression')).toBeCloseTo(3 / 4, 1)
  expect(await lossOf('single_label_classification')).toBeCloseTo((3 * Math.log(2)) / 2, 1)
})

test('evaluate refuses a model of another problem than the data', async () => {
  const labels = ['dark', 'bright']
  expect(evaluate(modelOf('regression'), only(batch), { labels })).rejects.toThrow('a regression needs numbers')
  expect(evaluate(modelOf('multi_label_classification'), only(batch), { labels })).rejects.toThrow('one class each')
  expect(evaluate(modelOf(null), only(batch), { labels, multiLabel: true })).resolves.toBeDefined()
})
