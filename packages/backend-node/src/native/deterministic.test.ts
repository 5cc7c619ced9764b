/** A training step's bits depend on nothing but its inputs: not on the run, and not on the number of threads. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { randomNormal, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification } from '@vitral/core'
import { gradNorm } from '@vitral/core/ops'
import { setThreads } from './index.ts'

beforeAll(() => useBackend('native'))
afterAll(() => setThreads(availableParallelism()))

// One image has fewer heads than threads want tasks, so that heads are shared out; eight have more.
for (const batch of [1, 8])
  for (const enabled of [false, true])
    test(`${batch} images, ${enabled ? 'bfloat16' : 'float32'}: loss, gradients and their norm have the same bits with 1 to 3 threads`, () => {
      const model = new ViTForImageClassification({
        ...{ hiddenSize: 96, numHiddenLayers: 1, numAttentionHeads: 3, imageSize: 48, patchSize: 4, numLabels: 10 },
        ...{ hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1, dropPathRate: 0.2 },
      })
      const labels = Array.from({ length: batch }, (_, i) => i)
      const step = (threads: number): Record<string, Uint32Array> =>
        tidy(() => {
          setThreads(threads)
          const pixels = randomNormal([batch, 3, 48, 48], 0, 1, 'float32', 7) as Tensor4D
          const options = { training: true, seed: 3 }
          const { loss, grads } = autocast({ enabled }, () => model.valueAndGrads(pixels, labels, options))
          const all = { loss, norm: gradNorm(Object.values(grads)), ...grads }
          return Object.fromEntries(
            Object.entries(all).map(([name, tensor]) => [name, new Uint32Array(tensor.dataSync().slice().buffer)]),
          ) as never
        })
      const expected = step(1)
      for (const threads of [1, 2, 3]) {
        const bits = step(threads)
        const other = Object.keys(bits).filter(name => bits[name]?.some((word, i) => word !== expected[name]?.[i]))
        expect([threads, other]).toEqual([threads, []])
      }
      model.dispose()
    })
