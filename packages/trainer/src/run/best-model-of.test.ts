/** The best model is the same in every process, whatever its configuration says that files say otherwise. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor4d } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { bestModelOf } from './best-model-of.ts'

test('a model with a factor of its own computes in every process what it did in training', async () => {
  await useBackend('cpu')
  const folder = mkdtempSync(join(tmpdir(), 'vitral-best-'))
  const config = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, numLabels: 3 }
  const trained = new ViTForImageClassification({ ...config, qkScale: 3, initializerRange: 0.4 }, { seed: 1 })
  await trained.savePretrained(folder)

  const sent: Uint8Array[] = []
  const rank = (rank: number): Collectives => ({
    ...{ ...alone, rank, worldSize: 2 },
    allGather: async bytes => [bytes, bytes],
    broadcast: async bytes => {
      if (rank === 0) sent.push(bytes.slice())
      else bytes.set(sent.shift() as Uint8Array)
    },
  })
  const pixels = tensor4d(
    Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
    [1, 3, 8, 8],
  )
  const expected = await trained.forward(pixels).logits.data()
  for (const collectives of [rank(0), rank(1)]) {
    const model = await bestModelOf(collectives, folder, trained)
    const logits = await model.forward(pixels).logits.data()
    logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(expected[i] as number, 5)
    })
  }
  expect(sent).toEqual([])
  rmSync(folder, { recursive: true })
})
