/** Which gradients are sent together, when, and what comes back. */
import { describe, expect, test } from 'bun:test'
import { GradientBuckets } from './buckets.ts'
import { alone, type Collectives } from './collectives.ts'
import { planBuckets } from './plan-buckets.ts'

const sizes = new Map([
  ['embeddings', 3],
  ['weight', 300_000],
  ['bias', 2],
  ['classifier', 4],
])

describe('planBuckets', () => {
  const namesOf = (order: string[], bucketBytes?: number) =>
    planBuckets(order, sizes, bucketBytes).map(({ names, size, isLarge }) => [names.join(' '), size, isLarge])

  test('small ones together, a large one alone; a bucket has the place of its last', () => {
    expect(namesOf(['classifier', 'bias', 'weight', 'embeddings'])).toEqual([
      ['weight', 300_000, true],
      ['classifier bias embeddings', 9, false],
    ])
  })

  test('no more in one than fits', () => {
    expect(namesOf(['classifier', 'bias', 'embeddings'], 24)).toEqual([
      ['classifier bias', 6, false],
      ['embeddings', 3, false],
    ])
    expect(namesOf(['classifier', 'bias'], 4)).toEqual([
      ['classifier', 4, true],
      ['bias', 2, true],
    ])
  })
})

/** Collectives of two processes, of which the other one has twice the values. */
function withOther(): { collectives: Collectives; sent: number[] } {
  const sent: number[] = []
  const collectives: Collectives = {
    ...alone,
    worldSize: 2,
    async allReduce(values) {
      sent.push(values.length)
      await Promise.resolve()
      for (const [i, value] of values.entries()) values[i] = value * 3
    },
  }
  return { collectives, sent }
}

const floats = (length: number, value: number): Float32Array => new Float32Array(length).fill(value)

describe('GradientBuckets', () => {
  test('a bucket is sent as soon as it is full, in the order of the plan', async () => {
    const { collectives, sent } = withOther()
    const buckets = new GradientBuckets(collectives, sizes, 24)
    buckets.add('bias', floats(2, 1))
    expect(sent).toEqual([])
    buckets.add('embeddings', floats(3, 1)) // complete, but not the first of the plan
    expect(sent).toEqual([])
    buckets.add('weight', floats(300_000, 1))
    expect(sent).toEqual([])
    buckets.add('classifier', floats(4, 1))
    expect(sent).toEqual([6, 300_000, 3])
    await buckets.finish()

    // From then on the order is that in which the gradients really came.
    sent.length = 0
    buckets.add('bias', floats(2, 1))
    buckets.add('embeddings', floats(3, 1))
    expect(sent).toEqual([5])
    buckets.add('weight', floats(300_000, 1))
    expect(sent).toEqual([5, 300_000])
    buckets.add('classifier', floats(4, 1))
    expect(sent).toEqual([5, 300_000, 4])
    await buckets.finish()
  })

  test('sums of small ones and large ones, also in place and after micro-batches', async () => {
    const buckets = new GradientBuckets(withOther().collectives, sizes)
    for (const inPlace of [true, false]) {
      const weight = floats(300_000, 2)
      buckets.add('weight', weight, { before: floats(300_000, 3), inPlace })
      buckets.add('bias', floats(2, 1), { before: floats(2, 7), inPlace })
      buckets.add('classifier', floats(4, 4))
      expect([...buckets.arrived]).toEqual(['weight', 'bias', 'classifier'])
      const sums = await buckets.finish()
      expect(sums.get('weight') === weight).toBe(inPlace)
      expect(sums.get('weight')).toEqual(floats(300_000, 15))
      expect(sums.get('bias')).toEqual(floats(2, 24))
      expect(sums.get('embeddings')).toEqual(floats(3, 0)) // none here
      expect(buckets.arrived.size).toBe(0)
    }
  })

  test('unknown and repeated names are refused, and a failure of the engine is told at the end', async () => {
    const buckets = new GradientBuckets(withOther().collectives, sizes)
    expect(() => buckets.add('wieght', floats(2, 0))).toThrow("There is a gradient for 'wieght'")
    buckets.add('bias', floats(2, 0))
    expect(() => buckets.add('bias', floats(2, 0))).toThrow("The gradient of 'bias' was added twice in one step.")

    const failing = { ...alone, worldSize: 2, allReduce: () => Promise.reject(new Error('rank 1 has died')) }
    await expect(new GradientBuckets(failing, sizes).finish()).rejects.toThrow('rank 1 has died')
  })
})
