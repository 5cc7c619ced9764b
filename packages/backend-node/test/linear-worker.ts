/** A worker thread with a native backend of its own: computes one linear layer a hundred times, and answers with the last. */

import { tensor2d, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { linear } from '@vitral/core/ops'

declare const self: Worker

self.onmessage = async ({ data: { x, weight } }: MessageEvent<{ x: Float32Array; weight: Float32Array }>) => {
  await useBackend('native')
  let result: number[] = []
  for (let i = 0; i < 100; i++)
    result = tidy(() => [...linear(tensor2d(x, [64, 96]), tensor2d(weight, [128, 96])).dataSync()])
  self.postMessage(result)
}
