/** Broken images: told once, refused when there are too many. */
import { expect, test } from 'bun:test'
import type { Batch } from '@vitral/datasets'
import { skippedImages } from './skipped-images.ts'

const batch = (count: number, ...skipped: number[]): Batch => ({
  pixelValues: { data: new Float32Array(count), shape: [count, 1, 1, 1] },
  labels: new Int32Array(count),
  indices: new Int32Array(count),
  skipped: skipped.map(index => ({ index, reason: `image ${index} is broken` })),
})
async function* epoch(...batches: Batch[]): AsyncGenerator<Batch> {
  yield* batches
}

test('tells of each image once, whatever the number of epochs', async () => {
  const told: string[] = []
  const pass = skippedImages(100, reason => told.push(reason))
  for (let i = 0; i < 2; i++) expect(await Array.fromAsync(pass(epoch(batch(2, 7), batch(3, 1, 9))))).toHaveLength(2)
  expect(told).toEqual(['image 7 is broken', 'image 1 is broken', 'image 9 is broken'])
})

test('passes a batch without an image on, and refuses a data set without one', async () => {
  expect(await Array.fromAsync(skippedImages(100, () => {})(epoch(batch(0, 4, 5))))).toHaveLength(1)
  const pass = skippedImages(3, () => {})
  await expect(Array.fromAsync(pass(epoch(batch(0, 0, 1), batch(0, 2))))).rejects.toThrow(
    'None of the 3 images can be decoded. image 2 is broken',
  )
})

test.each([
  [100, 10],
  [5000, 50],
])('refuses more than 1 %% and 10 images: of %d, %d are left out', async (length, most) => {
  const pass = skippedImages(length, () => {})
  const broken = Array.from({ length: most }, (_, i) => i)
  expect(await Array.fromAsync(pass(epoch(batch(1, ...broken))))).toHaveLength(1)
  await expect(Array.fromAsync(pass(epoch(batch(1, most))))).rejects.toThrow(
    `${most + 1} of ${length} images cannot be decoded, which is too many to leave out`,
  )
})
