/** What runs in the browser: a model of @vitral/core trained one step on a backend of @vitral/backend-web. */

import { randomUniform, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { setWasmPath } from '@vitral/backend-web'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'

export interface StepResult {
  loss: number
  gradients: number
  /** Whether a tensor made by the page's own tfjs-core was accepted by core's: one engine. */
  oneEngine: boolean
}

async function trainingStep(backend: BackendName): Promise<StepResult> {
  setWasmPath('/wasm/')
  await useBackend(backend)
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
  const pixelValues = tidy(() => randomUniform([2, 3, 8, 8], -1, 1, 'float32', 5)) as Tensor4D
  const { loss, grads } = model.valueAndGrads(pixelValues, [0, 2])
  const values = await loss.data()
  return { loss: values[0] as number, gradients: Object.keys(grads).length, oneEngine: !pixelValues.isDisposed }
}

Object.assign(globalThis, { trainingStep })
