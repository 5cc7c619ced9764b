/** A data set that counts, in memory shared with the test, how many of its examples were asked for. */
import type { Dataset } from '../../src/types.ts'

export default function counting({ counter, length }: { counter: Int32Array; length: number }): Dataset {
  return {
    length,
    classes: ['a'],
    get() {
      Atomics.add(counter, 0, 1)
      return { image: { data: new Uint8Array(3), width: 1, height: 1, channels: 3 }, label: 0 }
    },
    source: { module: import.meta.url, params: { counter, length } },
  }
}
