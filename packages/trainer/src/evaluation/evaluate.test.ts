import { expect, test } from 'bun:test'
import { fill } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import type { ImageBatch } from '../step/batch.ts'
import { NonFiniteError } from '../step/non-finite.ts'
import { evaluate } from './evaluate.ts'

const config = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16, imageSize: 8 }

/** A batch of two images, the second of which is bright beyond all measure. */
async function* batches(value: number, indices?: Int32Array): AsyncGenerator<ImageBatch> {
  const data = new Float32Array(2 * 3 * 64)
  data.fill(value, 3 * 64)
  yield { pixelValues: { data, shape: [2, 3, 8, 8] }, labels: Int32Array.of(0, 1), ...(indices && { indices }) }
}

test('evaluate refuses logits that are no finite numbers, and names the image', async () => {
  await useBackend('cpu')
  const labels = ['cat', 'dog']
  const model = new ViTForImageClassification({ ...config, patchSize: 8, numLabels: 2 })
  expect(await evaluate(model, batches(1), { labels })).toMatchObject({ count: 2 })
  const evaluation = evaluate(model, batches(Infinity), { labels })
  await expect(evaluation).rejects.toThrow('The logits of image 1 of the batch hold NaN; expected finite numbers.')
  await expect(evaluation).rejects.toThrow(NonFiniteError)
  const known = evaluate(model, batches(Infinity, Int32Array.of(7, 9)), { labels })
  await expect(known).rejects.toThrow('The logits of image 9 of the data set hold NaN')
  model
    .parameters()
    .get('classifier.bias')
    ?.assign(fill([2], Infinity))
  await expect(evaluate(model, batches(1), { labels })).rejects.toThrow('image 0 of the batch hold Infinity')
  model.dispose()
})
