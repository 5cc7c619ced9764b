/** A layer that trains as one kernel, and its gradient as one: the bits of the ops, whatever is dropped or wanted. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { engine, memory, sum, type Tensor, type Tensor4D, type Variable } from '@tensorflow/tfjs-core'
import { autocast, useBackend, type ViTConfigOptions, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { FusedKernels, images, shaken } from '../../test/fused-kernels.ts'
import { deviceInfo, setThreads } from './index.ts'

let kernels: FusedKernels<'forward' | 'backward'>
let threads = 0

beforeAll(async () => {
  await useBackend('native')
  threads = deviceInfo().threads
  kernels = new FusedKernels({ forward: 'VitralEncoderLayer', backward: 'VitralEncoderLayerGrad' })
})

afterAll(() => {
  setThreads(threads)
  kernels.restore()
})

const plain = {
  ...{ hiddenSize: 48, numHiddenLayers: 3, numAttentionHeads: 4, intermediateSize: 80 },
  ...{ imageSize: 16, patchSize: 4, numLabels: 5 },
} satisfies Partial<ViTConfigOptions>

const configs: Record<string, Partial<ViTConfigOptions>> = {
  plain,
  'without bias of query, key and value': { ...plain, qkvBias: false },
  'a network narrower than 3·C': { ...plain, intermediateSize: 32 },
  'a scale and an eps of its own': { ...plain, qkScale: 0.5, layerNormEps: 0.3 },
  'dropout everywhere': { ...plain, hiddenDropoutProb: 0.2, attentionProbsDropoutProb: 0.3 },
  'drop path': { ...plain, dropPathRate: 0.5 },
  'all that drops': { ...plain, hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1, dropPathRate: 0.3 },
}

function valuesOf(tensors: Record<string, Tensor>): Record<string, Float32Array> {
  const values: Record<string, Float32Array> = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    values[name] = tensor.dataSync() as Float32Array
    tensor.dispose()
  }
  return values
}

/** Loss, logits and all gradients of a step. */
function step(model: ViTForImageClassification, pixelValues: Tensor4D, options: object = {}) {
  const labels = Array.from({ length: pixelValues.shape[0] }, (_, i) => i % 5)
  const { loss, logits, grads } = model.valueAndGrads(pixelValues, labels, { seed: 11, ...options })
  return valuesOf({ loss, logits, ...grads })
}

describe.each(Object.entries(configs))('%s', (_, config) => {
  test.each(['float32', 'bfloat16'] as const)('in %s: the bits of the ops', dtype => {
    const model = shaken(new ViTForImageClassification(config))
    for (const batch of [1, 3]) {
      const pixelValues = images(batch)
      const before = memory().numTensors
      const { fused, apart, calls } = kernels.bothWays(() => autocast({ dtype }, () => step(model, pixelValues)))
      expect(calls).toEqual({ forward: 2, backward: 2 }) // the last layer is of the class token
      expect(fused).toEqual(apart)
      expect(Object.values(fused).every(values => values.every(Number.isFinite))).toBe(true)
      expect(memory().numTensors).toBe(before)
      pixelValues.dispose()
    }
    model.dispose()
  })
})

/** Each a part of what may be wanted of a layer: nothing of it needs what lies below. */
const wanted = {
  'the whole first layer': ['layer.0'],
  'the first norm': ['layer.1.layernorm_before'],
  'a query bias': ['layer.1.attention.attention.query.bias'],
  'two of three biases': ['query.bias', 'value.bias'],
  'a value weight': ['layer.1.attention.attention.value.weight'],
  'the three weights without their biases': ['query.weight', 'key.weight', 'value.weight'],
  'the projection': ['layer.1.attention.output'],
  'the second norm': ['layer.1.layernorm_after.bias'],
  'the first half of the network': ['layer.1.intermediate'],
  'the second half of the network': ['layer.1.output.dense.weight'],
  'what lies below all layers': ['cls_token'],
}

test.each(Object.entries(wanted))('the gradient of %s alone', (_, names) => {
  const model = shaken(new ViTForImageClassification(configs['all that drops']))
  for (const [name, parameter] of model.parameters())
    (parameter as Variable).trainable = names.some(part => name.includes(part))
  const pixelValues = images(2)
  const before = memory().numTensors
  const { fused, apart, calls } = kernels.bothWays(() => step(model, pixelValues))
  expect(calls.forward).toBe(2)
  expect(calls.backward).toBeGreaterThan(0)
  expect(Object.keys(fused).length).toBeGreaterThan(2)
  expect(fused).toEqual(apart)
  expect(memory().numTensors).toBe(before)
})

test('with checkpoints, with adapters, and of the pixels', () => {
  const model = shaken(new ViTForImageClassification(configs['all that drops']))
  const pixelValues = images(2)
  const checkpointed = kernels.bothWays(() => step(model, pixelValues, { gradientCheckpointing: true }))
  expect(checkpointed.calls).toEqual({ forward: 4, backward: 2 }) // once more for each gradient
  expect(checkpointed.fused).toEqual(checkpointed.apart)
  expect(checkpointed.fused).toEqual(step(model, pixelValues))

  const ofPixels = kernels.bothWays(() => {
    const result = valueAndGrads(() => sum(model.forward(pixelValues).logits), [pixelValues])
    return valuesOf({ value: result.value, pixels: result.grads[0] as Tensor })
  })
  expect(ofPixels.calls).toEqual({ forward: 2, backward: 2 })
  expect(ofPixels.fused).toEqual(ofPixels.apart)

  model.addAdapters({ rank: 2, targets: ['query', 'intermediate.dense'] })
  const adapted = kernels.bothWays(() => step(model, pixelValues))
  expect(adapted.calls).toEqual({ forward: 2, backward: 2 })
  expect(adapted.fused).toEqual(adapted.apart)
})

test('any number of threads gives the same bits', () => {
  const model = shaken(new ViTForImageClassification(configs['all that drops']))
  const pixelValues = images(3)
  setThreads(1)
  const alone = step(model, pixelValues)
  for (const count of [2, 5]) {
    setThreads(count)
    expect(step(model, pixelValues)).toEqual(alone)
  }
  setThreads(threads)
})

test('attentions, and what has no gradient, are of other kernels', () => {
  const model = new ViTForImageClassification(plain)
  const pixelValues = images(2)
  kernels.reset()
  model.forward(pixelValues, { training: true })
  model.forward(pixelValues)
  step(model, pixelValues, { outputAttentions: true })
  expect(kernels.calls).toEqual({ forward: 0, backward: 0 })
})

test('a wrong argument is named, and a size beyond memory is refused', () => {
  const { kernels: addon } = engine().backend as KernelBackend
  const none = new Float32Array(0)
  const shape = { batch: 1, tokens: 2, hiddenSize: 4, numHeads: 2, intermediateSize: 8, dtype: 'float32' } as const
  const drops = { dropoutProbability: 0, dropoutSeed: 0, dropPathProbability: 0, dropPathSeed: 0, samples: 1 }
  const options = { scale: 1, eps: 1e-6, attentionDropout: 0, attentionSeed: 0, afterAttention: drops, afterMlp: drops }
  const run =
    (parameters: Float32Array[], changed: object = {}) =>
    () =>
      addon.encoderLayer({
        ...{ ...shape, ...options, x: new Float32Array(8), parameters },
        ...{ saved: none, workspace: none, output: none, ...changed },
      })
  expect(() => addon.encoderLayerFloats({ ...shape, hiddenSize: 6, numHeads: 4 })).toThrow(
    'numHeads does not divide hiddenSize',
  )
  const huge = { batch: 2 ** 40, tokens: 2 ** 40, hiddenSize: 1, numHeads: 1, intermediateSize: 1 }
  expect(() => addon.encoderLayerFloats({ ...shape, ...huge })).toThrow('too large')
  expect(run([none])).toThrow('parameters has 1 entries; expected 16 for each layer')
  expect(run(Array(16).fill(none))).toThrow('parameters[0] has 0 elements; expected 4')
  const norm = [new Float32Array(4), new Float32Array(4)]
  expect(run([...norm, ...Array(14).fill(none)])).toThrow('parameters[2] has 0 elements; expected 16')
})
