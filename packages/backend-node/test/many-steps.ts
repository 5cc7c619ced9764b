/** Run by memory.test.ts in a process of its own: ten thousand training steps of a tiny model, and the memory in use. */
import { memory, ones, type Tensor4D, tidy, variable, zeros } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { optimizerStep } from '@vitral/core/ops'
import { setThreads } from '../src/index.ts'

await useBackend('native')
setThreads(1) // the kernels take microseconds
const config = { hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 16, patchSize: 8, numLabels: 10 }
const model = new ViTForImageClassification(config)
const parameters = [...model.parameters().values()]
const state = [0, 1].map(() => parameters.map(parameter => tidy(() => variable(zeros(parameter.shape)))))
const adam = {
  algorithm: 'adam',
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  decoupled: true,
  lr: 1e-4,
  weightDecay: 0,
} as const
const images = ones([4, 3, 16, 16]) as Tensor4D
const labels = Array(4).fill(1)

/** Bytes of physical memory, and what tfjs and the pool count, after some steps more. */
async function after(first: number, last: number): Promise<object> {
  for (let step = first; step <= last; step++) {
    tidy(() => {
      const { grads } = model.valueAndGrads(images, labels)
      optimizerStep({ parameters, gradients: Object.values(grads), state }, { ...adam, step })
    })
    if (step % 100 === 0) await new Promise(resolve => setTimeout(resolve)) // a loop that never waits frees nothing
  }
  Bun.gc(true)
  const { numTensors, numBytesLive, numBytesFree } = memory() as unknown as Record<string, number>
  return { numTensors, numBytesLive, numBytesFree, resident: process.memoryUsage.rss() }
}
console.log(JSON.stringify([await after(1, 2000), await after(2001, 10_000)]))
