/** A forward pass on the backend `wasm`, on some number of threads. */
import { type Tensor2D, tensor2d, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { setWasmThreads, type WasmInfo, wasmInfo } from '@vitral/backend-web'
import { noGrad, useBackend, ViTForImageClassification } from '@vitral/core'
import { normalStream } from '@vitral/core/tape'

/** Large enough that its products are shared among threads. */
const config = {
  ...{ hiddenSize: 192, numHiddenLayers: 2, numAttentionHeads: 3, intermediateSize: 768 },
  ...{ imageSize: 64, patchSize: 8, numLabels: 16 },
}

export async function wasmForward(threads: number): Promise<{ info: WasmInfo; logits: number[] }> {
  await useBackend('wasm')
  setWasmThreads(threads)
  const model = new ViTForImageClassification(config, { seed: 1 })
  const normal = normalStream(2)
  const pixels = tensor4d(
    Float32Array.from({ length: 2 * 3 * 64 * 64 }, () => normal()),
    [2, 3, 64, 64],
  )
  // The classifier begins at zero: anything else tells models apart.
  for (const [name, parameter] of model.parameters()) if (name === 'classifier.weight') parameter.assign(ramp())
  const logits = tidy(() => noGrad(() => model.forward(pixels).logits))
  const values = [...(await logits.data())]
  logits.dispose()
  pixels.dispose()
  model.dispose()
  return { info: wasmInfo(), logits: values }
}

const ramp = (): Tensor2D =>
  tensor2d(
    Float32Array.from({ length: 16 * 192 }, (_, i) => Math.sin(i)),
    [16, 192],
  )
