/** All layers as one kernel give the bits of their ops. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  engine,
  getKernel,
  type KernelFunc,
  randomNormal,
  registerKernel,
  type Tensor4D,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification, ViTModel } from '@vitral/core'
import { whyNoGpu } from '../../../test/gpu.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of the fused encoder on webgpu: ${reason}`)

const config = { hiddenSize: 20, numHiddenLayers: 3, numAttentionHeads: 4, mlpRatio: 2, imageSize: 12, patchSize: 4 }

describe.skipIf(reason !== undefined)('the encoder on webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  afterAll(() => useBackend('cpu'))

  const images = () => randomNormal([3, 3, 12, 12], 0, 1, 'float32', 9) as Tensor4D

  const reads = {
    async 'the class token alone'(dtype: 'float32' | 'float16'): Promise<number[]> {
      const [model, x] = [new ViTForImageClassification({ ...config, numLabels: 3 }, { seed: 3 }), images()]
      const { logits } = autocast({ dtype }, () => model.forward(x))
      const values = [...(await logits.data())]
      for (const made of [logits, x, model]) made.dispose()
      return values
    },
    async 'every token'(dtype: 'float32' | 'float16'): Promise<number[]> {
      const [model, x] = [new ViTModel(config, { seed: 3 }), images()]
      const { lastHiddenState, ...others } = autocast({ dtype }, () => model.forward(x))
      const values = [...(await lastHiddenState.data())]
      for (const made of [lastHiddenState, ...Object.values(others), x, model]) (made as { dispose(): void }).dispose()
      return values
    },
  }
  for (const [what, read] of Object.entries(reads))
    for (const dtype of ['float32', 'float16'] as const)
      test(`where ${what} is read in ${dtype}, gives the bits of its ops and leaves nothing behind`, async () => {
        const fused = getKernel('VitralEncoder', 'webgpu')
        let runs = 0
        const counted: KernelFunc = args => {
          runs++
          return fused.kernelFunc(args)
        }
        unregisterKernel('VitralEncoder', 'webgpu')
        const expected = await read(dtype).finally(() => registerKernel({ ...fused, kernelFunc: counted }))
        const dataIds = engine().backend.numDataIds()
        expect(await read(dtype)).toEqual(expected)
        expect(runs).toBe(1)
        expect(engine().backend.numDataIds()).toBe(dataIds)
      }, 60_000)
})
