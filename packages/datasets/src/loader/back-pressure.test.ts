/** A consumer that is slow stops the workers: they make so many batches ahead, and no more. */
import { expect, test } from 'bun:test'
import counting from '../../test/workers/counting.ts'
import * as transforms from '../transforms/index.ts'
import { createLoader } from './loader.ts'

test.each([
  [1, 2, false],
  [2, 1, true],
])('%d workers, %d batches ahead, ring: %p', async (workers, prefetch, reuseMemory) => {
  const counter = new Int32Array(new SharedArrayBuffer(4))
  const made = (): number => Atomics.load(counter, 0) / 5
  const loader = createLoader(counting({ counter, length: 500 }), {
    transforms: [transforms.toTensor()],
    ...{ batchSize: 5, workers, prefetch, reuseMemory },
  })
  const batches = loader.batches()
  for (let taken = 1; taken <= 3; taken++) {
    await batches.next()
    // The one that was taken, and those ahead of it, which were asked for when it was.
    const most = taken - 1 + workers * prefetch
    for (let i = 0; i < 200 && made() < most; i++) await Bun.sleep(10)
    expect(made()).toBe(most)
    await Bun.sleep(50)
    expect(made()).toBe(most)
  }
  await loader.close()
})
