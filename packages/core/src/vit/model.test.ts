import { beforeAll, describe, expect, test } from 'bun:test'
import { memory, type Tensor4D, tensor2d, tidy, zeros } from '@tensorflow/tfjs-core'
import { classTokenSuite } from '../../test/class-token-suite.ts'
import { fixtureSuite } from '../../test/fixture-suite.ts'
import { oddSizesSuite } from '../../test/odd-sizes-suite.ts'
import { useBackend } from '../backend.ts'
import { ViTForImageClassification } from './classifier.ts'
import { ViTModel } from './model.ts'

beforeAll(() => useBackend('cpu'))

describe('PyTorch fixtures on stock cpu', () => fixtureSuite((name, run) => test(name, run)))

classTokenSuite((name, run) => test(name, run), 1e-5)

oddSizesSuite((name, run) => test(name, run))

const small = {
  hiddenSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  mlpRatio: 2,
  imageSize: 16,
  patchSize: 8,
  numLabels: 5,
}
const pixels = (channels = 3, height = 16, width = 16): Tensor4D => zeros([2, channels, height, width])

test('a forward pass frees all but what it returns, a training step likewise', () => {
  const model = new ViTForImageClassification({
    ...small,
    hiddenDropoutProb: 0.1,
    attentionProbsDropoutProb: 0.1,
    dropPathRate: 0.2,
  })
  tidy(() => {
    const input = pixels()
    const before = memory().numTensors
    model.forward(input, { labels: [0, 1], outputHiddenStates: true, outputAttentions: true })
    expect(memory().numTensors - before).toBe(1 + 1 + 3 + 2)
    model.valueAndGrads(input, [0, 1])
    expect(memory().numTensors - before).toBe(7 + 2 + model.parameters().size)
  })
  model.dispose()
})

test('equal seeds give equal models, other seeds others', async () => {
  const weights = async (seed: number) => {
    const model = new ViTForImageClassification(small, { seed })
    const data = await model.parameters().get('vit.encoder.layer.1.output.dense.weight')?.data()
    model.dispose()
    return [...(data ?? [])]
  }
  expect(await weights(1)).toEqual(await weights(1))
  expect(await weights(1)).not.toEqual(await weights(2))
})

test("the initial values are the article's: normal weights of deviation 0.02, zero biases, norms of one", async () => {
  const model = new ViTForImageClassification({ ...small, hiddenSize: 96, mlpRatio: 4 })
  const data = async (name: string) => [...((await model.parameters().get(name)?.data()) ?? [])] as number[]
  const weight = await data('vit.encoder.layer.0.intermediate.dense.weight')
  const mean = weight.reduce((sum, value) => sum + value, 0) / weight.length
  const deviation = Math.sqrt(weight.reduce((sum, value) => sum + (value - mean) ** 2, 0) / weight.length)
  expect(Math.abs(mean)).toBeLessThan((4 * 0.02) / Math.sqrt(weight.length)) // four standard errors
  expect(deviation / 0.02).toBeCloseTo(1, 1)
  expect(new Set(await data('vit.encoder.layer.0.intermediate.dense.bias'))).toEqual(new Set([0]))
  expect(new Set(await data('vit.layernorm.weight'))).toEqual(new Set([1]))
  model.dispose()
})

test('dropout depends on the seed of the pass, and is off outside training', async () => {
  const model = new ViTForImageClassification({ ...small, hiddenDropoutProb: 0.5 })
  const logits = async (options: object) => [...(await model.forward(pixels(), options).logits.data())]
  const still = await logits({})
  expect(await logits({ seed: 1 })).toEqual(still)
  expect(await logits({ training: true, seed: 1 })).not.toEqual(still)
  expect(await logits({ training: true, seed: 1 })).toEqual(await logits({ training: true, seed: 1 }))
  expect(await logits({ training: true, seed: 1 })).not.toEqual(await logits({ training: true, seed: 2 }))
  model.dispose()
})

test('numLabels 0 gives the features of the class token', async () => {
  const classifier = new ViTForImageClassification({ ...small, numLabels: 0 }, { seed: 3 })
  const bare = new ViTModel(small, { seed: 3 })
  expect(classifier.parameters().has('classifier.weight')).toBe(false)
  const { logits } = classifier.forward(pixels())
  expect(logits.shape).toEqual([2, 12])
  const features = (await bare.forward(pixels()).lastHiddenState.data()).slice(0, 12)
  // The class token alone is attended by another order of products.
  const given = (await logits.data()).slice(0, 12)
  for (const [i, feature] of features.entries()) expect(given[i]).toBeCloseTo(feature, 5)
})

test('wrong pixels, labels and masks are refused with what would be right', () => {
  const model = new ViTForImageClassification(small)
  const refused = (call: () => unknown) => expect(() => tidy(() => void call()))
  refused(() => model.forward(pixels(4))).toThrow('pixelValues have 4 channels, but the model has numChannels 3')
  refused(() => model.forward(pixels(3, 24))).toThrow(
    '24×16, but the model was made for 16×16; resize them, or pass { interpolatePosEncoding: true }',
  )
  refused(() => model.forward(pixels(3, 7), { interpolatePosEncoding: true })).toThrow('has no whole patch of 8×8')
  refused(() => model.forward(pixels(), { labels: [0, 5] })).toThrow(
    'labels[1] is 5; expected a class index from 0 to 4',
  )
  refused(() =>
    model.forward(pixels(), {
      boolMaskedPos: tensor2d([
        [1, 0, 0, 0],
        [0, 0, 0, 0],
      ]),
    }),
  ).toThrow('no mask token')
  model.dispose()
})

test('a classifier gives the features it classifies, when asked: the class token after the final norm', async () => {
  const classifier = new ViTForImageClassification(small, { seed: 1 })
  const headless = new ViTForImageClassification({ ...small, numLabels: 0 }, { seed: 1 })
  const input = pixels()
  const before = memory().numTensors
  const { features, logits } = classifier.forward(input, { outputFeatures: true })
  expect(memory().numTensors - before).toBe(2)
  expect(logits.shape).toEqual([2, 5])
  expect(classifier.forward(input).features).toBeUndefined()
  expect(await features?.array()).toEqual(await headless.forward(input).logits.array())
})
