/** All layers of the encoder as one kernel: the bits of its ops, nothing left behind, and only where no gradient is wanted. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { engine, memory } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, noGrad, useBackend, ViTForImageClassification, ViTModel } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { FusedKernels, images, shaken } from '../../test/fused-kernels.ts'

let kernels: FusedKernels<'encoder'>

beforeAll(async () => {
  await useBackend('native')
  kernels = new FusedKernels({ encoder: 'VitralEncoder' })
})

afterAll(() => kernels.restore())

const base = { hiddenSize: 48, numHiddenLayers: 3, intermediateSize: 80, imageSize: 16, patchSize: 4, numLabels: 5 }

const configs = {
  plain: { ...base, numAttentionHeads: 4 },
  'without bias of query, key and value': { ...base, numAttentionHeads: 3, qkvBias: false },
  'a network narrower than 3·C': { ...base, numAttentionHeads: 2, intermediateSize: 32 },
  'a scale and an eps of its own': { ...base, numAttentionHeads: 4, qkScale: 0.5, layerNormEps: 0.3 },
  'one layer': { ...base, numAttentionHeads: 4, numHiddenLayers: 1 },
}

const dtypes: ComputeDtype[] = ['float32', 'bfloat16', 'int8']

test.each(Object.entries(configs).flatMap(([name, config]) => dtypes.map(dtype => [name, dtype, config] as const)))(
  '%s in %s: the bits of the ops',
  (_, dtype, config) => {
    const model = shaken(new ViTForImageClassification(config))
    for (const batch of [1, 3]) {
      const pixelValues = images(batch)
      const before = memory().numTensors
      const result = kernels.bothWays(() => {
        const { logits } = autocast({ dtype }, () => model.forward(pixelValues))
        const values = logits.dataSync() as Float32Array
        logits.dispose()
        return values
      })
      expect(result.calls.encoder).toBe(1)
      expect(result.fused).toEqual(result.apart)
      expect(result.fused.every(Number.isFinite)).toBe(true)
      expect(memory().numTensors).toBe(before)
      pixelValues.dispose()
    }
  },
)

test.each(dtypes)('every token in %s, where all are wanted', dtype => {
  const model = new ViTModel(configs.plain)
  const pixelValues = images(2)
  const { fused, apart, calls } = kernels.bothWays(() => {
    const { lastHiddenState } = autocast({ dtype }, () => model.forward(pixelValues))
    return lastHiddenState.dataSync() as Float32Array
  })
  expect(calls.encoder).toBe(1)
  expect(fused).toHaveLength(2 * 17 * 48)
  expect(fused).toEqual(apart)
})

test('a model without layers has nothing to fuse', () => {
  const model = new ViTForImageClassification({ ...configs.plain, numHiddenLayers: 0 })
  const { fused, apart, calls } = kernels.bothWays(() => model.forward(images(2)).logits.dataSync() as Float32Array)
  expect(calls.encoder).toBe(0)
  expect(fused).toEqual(apart)
})

test('hidden states, attentions and gradients are of the ops alone', () => {
  const model = shaken(new ViTForImageClassification({ ...configs.plain }))
  const pixelValues = images(2)
  kernels.reset()
  expect(model.forward(pixelValues, { outputHiddenStates: true }).hiddenStates).toHaveLength(4)
  expect(model.forward(pixelValues, { outputAttentions: true }).attentions).toHaveLength(3)
  model.valueAndGrads(pixelValues, [0, 1], { training: false })
  model.forward(pixelValues, { training: true })
  expect(kernels.calls.encoder).toBe(0)
  noGrad(() => model.forward(pixelValues).logits)
  expect(kernels.calls.encoder).toBe(1)
})

test('with adapters', () => {
  const model = new ViTForImageClassification(configs.plain)
  model.addAdapters({ rank: 2, targets: ['query', 'intermediate.dense'] })
  shaken(model)
  const pixelValues = images(2)
  const { fused, apart, calls } = kernels.bothWays(() => model.forward(pixelValues).logits.dataSync() as Float32Array)
  expect(calls.encoder).toBe(1)
  expect(fused).toEqual(apart)
})

test('a wrong argument is named, and a size beyond memory is refused', () => {
  const { kernels: addon } = engine().backend as KernelBackend
  const [none, x] = [new Float32Array(0), new Float32Array(8)]
  const shape = { batch: 1, tokens: 2, hiddenSize: 4, numHeads: 2, intermediateSize: 8 }
  const options = { scale: 1, eps: 1e-6, classTokenOnly: true, dtype: 'float32' } as const
  const memory = { packed: [none, none, none, none], workspace: none, output: none }
  const run =
    (parameters: Float32Array[], changed: object = {}) =>
    () =>
      addon.encoder({ ...shape, ...options, ...memory, x, parameters, ...changed })
  expect(run([], { hiddenSize: 6, numHeads: 4 })).toThrow('numHeads does not divide hiddenSize')
  expect(run([], { x: new Float32Array(7) })).toThrow('x has 7 elements; expected 8')
  expect(run([])).toThrow('parameters has 0 entries; expected 16 for each layer')
  expect(run(Array(18).fill(none))).toThrow('parameters has 18 entries; expected 16 for each layer')
  expect(run(Array(32).fill(none))).toThrow('parameters and packed are of different numbers of layers')
  expect(run(Array(16).fill(none))).toThrow('parameters[0] has 0 elements; expected 4')
  expect(run([x, ...Array(15).fill(none)])).toThrow('parameters[0] has 8 elements; expected 4')
  const huge = { batch: 2 ** 40, tokens: 2 ** 40, hiddenSize: 1, numHeads: 1, intermediateSize: 1 }
  expect(() => addon.encoderFloats(huge)).toThrow('too large')
  expect(() => addon.classAttentionFloats({ ...huge, headSize: 1 })).toThrow('too large')
})
