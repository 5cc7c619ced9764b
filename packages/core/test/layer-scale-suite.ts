/** Layer scale in weights: what a backend's inference keeps of it has to change with the parameters, also those written in place. */
import { memory, ones, type Tensor4D, type Variable } from '@tensorflow/tfjs-core'
import { ViTForImageClassification } from '@vitral/core'
import { optimizerStep } from '@vitral/core/ops'

const config = {
  modelType: 'dinov2',
  ...{ hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 32 },
  ...{ imageSize: 16, patchSize: 8, numLabels: 3, initializerRange: 0.5 },
} as const

/** Registers the test. */
export function layerScaleSuite(test: (name: string, run: () => Promise<void>) => void): void {
  test('layer scale is taken into weights once, again where a parameter has changed, and freed with the model', async () => {
    const before = memory().numTensors
    const model = new ViTForImageClassification(config, { seed: 1 })
    const pixels = ones([1, 3, 16, 16]) as Tensor4D
    const logits = async (): Promise<string> => {
      const output = model.forward(pixels)
      const values = (await output.logits.data()).join()
      output.logits.dispose()
      return values
    }
    const first = await logits()
    const afterFirst = memory().numTensors
    requireEqual(await logits(), first, 'the second pass')
    requireEqual(memory().numTensors, afterFirst, 'tensors after it')

    const factors = model.parameters().get('vit.encoder.layer.1.layer_scale2.lambda1') as Variable
    const gradient = ones(factors.shape)
    const step = { algorithm: 'sgd', step: 1, lr: 0.5, weightDecay: 0, momentum: 0, nesterov: false } as const
    optimizerStep({ parameters: [factors], gradients: [gradient], state: [] }, step)
    if ((await logits()) === first) throw new Error('The pass after the step is that before it.')
    const initial = ones(factors.shape)
    factors.assign(initial)
    requireEqual(await logits(), first, 'the pass after the assignment')
    for (const tensor of [pixels, gradient, initial]) tensor.dispose()
    model.dispose()
    requireEqual(memory().numTensors, before, 'tensors after all')
  })
}

function requireEqual<T>(is: T, expected: T, what: string): void {
  if (is !== expected) throw new Error(`${what}: ${is}; expected ${expected}`)
}
