/** What is left out of the last layer for a classifier changes neither logits nor gradients; for any backend. */
import { expect } from 'bun:test'
import { type Tensor, type Tensor4D, tensor, tensor4d } from '@tensorflow/tfjs-core'
import { ViTForImageClassification } from '@vitral/core'
import { normalStream } from '@vitral/core/tape'

const config = {
  hiddenSize: 48,
  numHiddenLayers: 3,
  numAttentionHeads: 3,
  mlpRatio: 2,
  imageSize: 16,
  patchSize: 4,
  numLabels: 5,
}
const dropping = { attentionProbsDropoutProb: 0.3, dropPathRate: 0.5 }
const labels = [3, 1, 4]

/** @param tolerance of the largest difference, relative to the largest value: both ways sum in another order */
export function classTokenSuite(test: (name: string, run: () => Promise<void>) => void, tolerance: number): void {
  for (const [name, overrides] of Object.entries({ plain: {}, 'with dropout and drop path': dropping })) {
    test(`the class token alone, ${name}: the logits and gradients of the whole last layer`, async () => {
      const model = shaken(new ViTForImageClassification({ ...config, ...overrides }))
      const pixels = images()
      const step = async (outputHiddenStates: boolean, gradientCheckpointing = false) => {
        const options = { seed: 5, gradientCheckpointing, outputHiddenStates }
        const { loss, logits, grads } = model.valueAndGrads(pixels, labels, options)
        return await valuesOf({ loss, logits, ...grads })
      }
      const whole = await step(true) // every token of every layer is asked for
      expectClose(await step(false), whole, tolerance)
      expectClose(await step(false, true), whole, tolerance)
      model.dispose()
      pixels.dispose()
    })
  }

  test('the class token alone, without a gradient: logits and features of the whole last layer', async () => {
    for (const numHiddenLayers of [0, 1, 3]) {
      const model = shaken(new ViTForImageClassification({ ...config, numHiddenLayers }))
      const pixels = images()
      const forward = async (options: { outputHiddenStates?: boolean; outputAttentions?: boolean }) => {
        const { logits, features } = model.forward(pixels, { outputFeatures: true, ...options })
        return await valuesOf({ logits, features: features as Tensor })
      }
      const whole = await forward({ outputHiddenStates: true })
      expectClose(await forward({}), whole, tolerance)
      expectClose(await forward({ outputAttentions: true }), whole, tolerance)
      model.dispose()
      pixels.dispose()
    }
  })
}

function images(): Tensor4D {
  const next = normalStream(3)
  return tensor4d(
    Float32Array.from({ length: 3 * 3 * 16 * 16 }, () => next()),
    [3, 3, 16, 16],
  )
}

/** Parameters that are zero or one in a fresh model hide what reads the wrong one. */
function shaken(model: ViTForImageClassification): ViTForImageClassification {
  const next = normalStream(7)
  for (const parameter of model.parameters().values()) {
    const values = Float32Array.from(parameter.dataSync(), value => value + 0.1 * next())
    const moved = tensor(values, parameter.shape)
    parameter.assign(moved)
    moved.dispose()
  }
  return model
}

async function valuesOf(tensors: Record<string, Tensor>): Promise<Record<string, Float32Array>> {
  const values: Record<string, Float32Array> = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    values[name] = Float32Array.from(await tensor.data())
    tensor.dispose()
  }
  return values
}

function expectClose(
  given: Record<string, Float32Array>,
  expected: Record<string, Float32Array>,
  tolerance: number,
): void {
  expect(Object.keys(given)).toEqual(Object.keys(expected))
  for (const [name, values] of Object.entries(expected)) {
    const largest = Math.max(...values.map(Math.abs))
    const difference = Math.max(...values.map((value, i) => Math.abs(value - (given[name]?.[i] ?? Number.NaN))))
    expect(largest, name).toBeGreaterThan(name.endsWith('key.bias') ? 0 : 1e-4)
    expect(difference / Math.max(largest, 1e-2), name).toBeLessThanOrEqual(tolerance)
  }
}
