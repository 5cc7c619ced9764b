/** Fourteen images of 8×8, the same in every runtime. */
import type { MemoryExample } from '../src/datasets/memory-dataset.ts'

export function* madeUpImages(): Generator<MemoryExample> {
  for (let i = 0; i < 14; i++) {
    const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, k) => Math.imul(k + 977 * i, 40503) >> 8)
    yield { image: { data, width: 8, height: 8, channels: 3 }, label: i % 2 }
  }
}
