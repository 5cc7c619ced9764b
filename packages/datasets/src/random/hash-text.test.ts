import { expect, test } from 'bun:test'
import { hashText } from './hash-text.ts'

test('hashText is the same everywhere and always: runs that go on, and splits, depend on it', () => {
  expect([hashText(0, ''), hashText(0, 'cat/1.jpg'), hashText(7, 'cat/1.jpg'), hashText(0, 'é😀')]).toEqual([
    1504318664, 3572838953, 2638711472, 1003418116,
  ])
})

test('spreads names that differ by little evenly', () => {
  const buckets = new Array<number>(16).fill(0)
  for (let i = 0; i < 16_000; i++) {
    const bucket = hashText(3, `dog/${i}.png`) >>> 28
    buckets[bucket] = (buckets[bucket] as number) + 1
  }
  const chiSquare = buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
  expect(chiSquare).toBeLessThan(38) // 15 degrees of freedom, p < 0.001
})
