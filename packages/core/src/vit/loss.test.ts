/** The loss follows the problem type, given or inferred, with transformers' rules. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { fill, mul, type Scalar, sub, sum, type Tensor, type Tensor4D, tensor1d, tensor2d } from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { ViTForImageClassification } from './classifier.ts'
import type { ProblemType } from './config.ts'
import { type Labels, problemTypeOf } from './loss.ts'

beforeAll(() => useBackend('cpu'))

const sizes = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, imageSize: 16 }
const modelOf = (numLabels: number, problemType: ProblemType | null): ViTForImageClassification =>
  new ViTForImageClassification({ ...sizes, patchSize: 8, numLabels, problemType, initializerRange: 0.5 }, { seed: 2 })

const pixels = () => fill([2, 3, 16, 16], 0.3) as Tensor4D
const several = [1, 1, 0, 0, 1, 0]
const yesOrNo = () => tensor2d(several, [2, 3], 'float32')
const numberOf = async (tensor: Tensor | undefined): Promise<number> => (await (tensor as Scalar).data())[0] as number
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

async function lossAndLogits(
  problemType: ProblemType | null,
  labels: Labels,
  numLabels = 3,
): Promise<{ loss: number; logits: number[] }> {
  const { loss, logits } = modelOf(numLabels, problemType).forward(pixels(), { labels })
  return { loss: await numberOf(loss), logits: [...(await logits.data())] }
}

const crossEntropyOf = (logits: number[], classes: number[]): number =>
  mean(
    classes.map((label, b) => {
      const row = logits.slice(3 * b, 3 * b + 3)
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[label] as number)
    }),
  )
const bceOf = (logits: number[], targets: number[]): number =>
  mean(logits.map((x, i) => Math.max(x, 0) - x * (targets[i] as number) + Math.log1p(Math.exp(-Math.abs(x)))))
const mseOf = (outputs: number[], targets: number[]): number =>
  mean(outputs.map((x, i) => (x - (targets[i] as number)) ** 2))

describe('forward', () => {
  for (const problemType of ['single_label_classification', null] as const)
    test(`gives cross-entropy for class indices, problem type ${problemType}`, async () => {
      for (const labels of [[1, 2], Int32Array.of(1, 2), tensor1d([1, 2], 'int32')]) {
        const { loss, logits } = await lossAndLogits(problemType, labels)
        expect(loss).toBeCloseTo(crossEntropyOf(logits, [1, 2]), 5)
      }
    })

  for (const problemType of ['multi_label_classification', null] as const)
    test(`gives binary cross-entropy for a number per class, problem type ${problemType}`, async () => {
      const { loss, logits } = await lossAndLogits(problemType, yesOrNo())
      expect(loss).toBeCloseTo(bceOf(logits, several), 5)
    })

  test('gives the mean squared error for a regression', async () => {
    const { loss, logits } = await lossAndLogits('regression', yesOrNo())
    expect(loss).toBeCloseTo(mseOf(logits, several), 5)
  })

  for (const problemType of ['regression', null] as const)
    test(`gives the mean squared error for one output, problem type ${problemType}`, async () => {
      const targets = [2.5, -1]
      for (const labels of [targets, Float32Array.from(targets), tensor1d(targets), tensor2d(targets, [2, 1])]) {
        const { loss, logits } = await lossAndLogits(problemType, labels, 1)
        expect(loss).toBeCloseTo(mseOf(logits, targets), 5)
      }
    })

  test("computes the caller's loss, whatever the problem type", async () => {
    const { loss } = modelOf(3, 'regression').forward(pixels(), { labels: yesOrNo(), loss: logits => sum(logits) })
    expect(await numberOf(loss)).not.toBe(0)
  })

  const refused: [
    what: string,
    problemType: ProblemType | null,
    labels: () => Labels,
    numLabels: number,
    says: string,
  ][] = [
    ['a class that is none', null, () => [0, 3], 3, 'labels[1] is 3; expected a class index from 0 to 2.'],
    ['half a class', null, () => [0, 0.5], 3, 'labels[1] is 0.5; expected a class index from 0 to 2.'],
    [
      'labels of fewer classes',
      'multi_label_classification',
      () => tensor2d([1, 0], [2, 1]),
      3,
      'labels has shape [2, 1]; expected [2, 3].',
    ],
    ['one number for three outputs', 'regression', () => [1, 2], 3, 'targets has shape [2]; expected [2, 3].'],
    [
      'a target that is no number',
      'regression',
      () => [1, Number.NaN],
      1,
      'labels[1] is NaN; expected a finite number.',
    ],
    ['labels of a model without a classifier', null, () => [0, 1], 0, 'has no loss of its own'],
  ]
  for (const [what, problemType, labels, numLabels, says] of refused)
    test(`refuses ${what}`, () => {
      expect(() => modelOf(numLabels, problemType).forward(pixels(), { labels: labels() })).toThrow(says)
    })
})

test('a regression learns its numbers', async () => {
  const model = modelOf(1, 'regression')
  const losses: number[] = []
  for (let step = 0; step < 30; step++) {
    const { loss, grads } = model.valueAndGrads(pixels(), [3, 3])
    losses.push(await numberOf(loss))
    for (const [name, parameter] of model.parameters()) {
      const gradient = grads[name]
      if (gradient) parameter.assign(sub(parameter, mul(gradient, 0.01)))
    }
  }
  expect(losses[0]).toBeGreaterThan(1)
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 100)
})

test('problemTypeOf follows the configuration, then the labels', () => {
  expect(problemTypeOf({ problemType: 'regression', numLabels: 5 }, [1])).toBe('regression')
  expect(problemTypeOf({ problemType: null, numLabels: 1 }, [1])).toBe('regression')
  expect(problemTypeOf({ problemType: null, numLabels: 2 }, Int32Array.of(1))).toBe('single_label_classification')
  expect(problemTypeOf({ problemType: null, numLabels: 2 }, tensor2d([[0, 1]]))).toBe('multi_label_classification')
})
