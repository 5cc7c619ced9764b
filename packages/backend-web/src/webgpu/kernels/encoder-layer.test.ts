/** A fused layer gives the bits of its ops, whatever is dropped and whichever gradients are wanted. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { engine, getKernel, randomNormal, registerKernel, type Tensor4D, unregisterKernel } from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification } from '@vitral/core'
import { whyNoGpu } from '../../../test/gpu.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of fused layers on webgpu: ${reason}`)

const config = {
  ...{
    hiddenSize: 20,
    numHiddenLayers: 3,
    numAttentionHeads: 4,
    mlpRatio: 2,
    imageSize: 12,
    patchSize: 4,
    numLabels: 3,
  },
  ...{ hiddenDropoutProb: 0.2, attentionProbsDropoutProb: 0.1, dropPathRate: 0.3 },
}

describe.skipIf(reason !== undefined)('an encoder layer on webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  afterAll(() => useBackend('cpu'))

  /** Loss and gradients of one step, as bits. */
  async function step(trains: RegExp, dtype: 'float32' | 'float16' = 'float32'): Promise<Record<string, number[]>> {
    const model = new ViTForImageClassification(config, { seed: 3 })
    for (const [name, parameter] of model.parameters()) parameter.trainable = trains.test(name)
    const images = randomNormal([4, 3, 12, 12], 0, 1, 'float32', 9) as Tensor4D
    const { loss, logits, grads } = autocast({ dtype }, () => model.valueAndGrads(images, [0, 1, 2, 0], { seed: 77 }))
    const bits: Record<string, number[]> = {}
    for (const [name, tensor] of Object.entries({ loss, logits, ...grads })) {
      bits[name] = [...(await tensor.data())]
      tensor.dispose()
    }
    images.dispose()
    model.dispose()
    return bits
  }

  async function withoutFusion<T>(run: () => Promise<T>): Promise<T> {
    const fused = getKernel('VitralEncoderLayer', 'webgpu')
    unregisterKernel('VitralEncoderLayer', 'webgpu')
    try {
      return await run()
    } finally {
      registerKernel(fused)
    }
  }

  const trained = {
    everything: /./,
    'weights of the last products alone': /layer\.[01]\.output\.dense/,
    'norms alone': /layernorm/,
    'query weights and class token alone': /query\.weight|cls_token/,
    'biases alone': /bias/,
  }
  for (const [what, names] of Object.entries(trained))
    test(`with ${what} trained, gives the bits of its ops and leaves nothing behind`, async () => {
      const expected = await withoutFusion(() => step(names))
      const { numTensors } = engine().memory()
      const dataIds = engine().backend.numDataIds()
      expect(await step(names)).toEqual(expected)
      expect(engine().memory().numTensors).toBe(numTensors)
      expect(engine().backend.numDataIds()).toBe(dataIds)
    }, 60_000)

  test('in float16 gives the bits of its ops', async () => {
    const expected = await withoutFusion(() => step(/./, 'float16'))
    expect(await step(/./, 'float16')).toEqual(expected)
    expect(await step(/./)).not.toEqual(expected)
  }, 60_000)
})
