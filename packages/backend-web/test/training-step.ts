/** One training step of a tiny model, the same in Bun and in a page: what a backend has to be able to do. */
import { getBackend, randomUniform, type Tensor4D, type Variable } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'
import { optimizerStep } from '@vitral/core/ops'

export interface StepResult {
  loss: number
  /** After one step of SGD. */
  lossAfter: number
  gradients: number
  /** The current backend as this file's own tfjs-core knows it: the one core has chosen only if both are one engine. */
  backend: string
}

export async function trainingStep(name: BackendName): Promise<StepResult> {
  await useBackend(name)
  const config = {
    hiddenSize: 12,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    mlpRatio: 2,
    imageSize: 8,
    patchSize: 4,
    numLabels: 3,
  }
  const model = new ViTForImageClassification(config, { seed: 1 })
  const pixelValues = randomUniform([2, 3, 8, 8], -1, 1, 'float32', 5) as Tensor4D
  const { loss, logits, grads } = model.valueAndGrads(pixelValues, [0, 2])
  const parameters = model.parameters()
  optimizerStep(
    {
      parameters: [...parameters.values()] as Variable[],
      gradients: [...parameters.keys()].map(key => grads[key] as NonNullable<(typeof grads)[string]>),
      state: [],
    },
    { algorithm: 'sgd', step: 1, lr: 0.1, weightDecay: 0, momentum: 0, nesterov: false },
  )
  const after = model.forward(pixelValues, { labels: Int32Array.of(0, 2) })
  const result = {
    loss: (await loss.data())[0] as number,
    lossAfter: (await after.loss?.data())?.[0] as number,
    gradients: Object.keys(grads).length,
    backend: getBackend(),
  }
  for (const tensor of [pixelValues, loss, logits, after.logits, after.loss, ...Object.values(grads)]) tensor?.dispose()
  model.dispose()
  return result
}
