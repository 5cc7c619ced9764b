/** Samplers by what PyTorch documents of them: who sees which example how often; the orders are our own generator's. */
import { describe, expect, test } from 'bun:test'
import {
  classBalancedSampler,
  distributedSampler,
  repeatedAugmentationSampler,
  type Sampler,
  sequentialSampler,
  shuffledSampler,
  weightedSampler,
} from './index.ts'

const indicesOf = (sampler: Sampler, epoch = 0): number[] => [...sampler.order(epoch).indices]
const range = (length: number): number[] => Array.from({ length }, (_, i) => i)
const sorted = (indices: number[]): number[] => [...indices].sort((a, b) => a - b)
const countEach = (indices: Iterable<number>, length: number): number[] => {
  const counts = Array<number>(length).fill(0)
  for (const index of indices) counts[index] = (counts[index] as number) + 1
  return counts
}
const ranks = (numReplicas: number): { numReplicas: number; rank: number }[] =>
  range(numReplicas).map(rank => ({ numReplicas, rank }))

describe('sequential and shuffled', () => {
  test('every example once; shuffled in an order of its own each epoch and seed, the same when asked again', () => {
    expect(indicesOf(sequentialSampler(5), 3)).toEqual(range(5))
    const sampler = shuffledSampler(1000, 7)
    const [first, second] = [indicesOf(sampler, 0), indicesOf(sampler, 1)]
    expect(sorted(first)).toEqual(range(1000))
    expect(sorted(second)).toEqual(range(1000))
    expect(second).not.toEqual(first)
    expect(indicesOf(shuffledSampler(1000, 8))).not.toEqual(first)
    expect(indicesOf(sampler, 0)).toEqual(first)
  })

  test('nothing of nothing', () => {
    for (const sampler of [sequentialSampler(0), shuffledSampler(0, 1), distributedSampler(0, ranks(2)[1] as never)])
      expect([sampler.length, indicesOf(sampler)]).toEqual([0, []])
  })
})

describe('distributed', () => {
  test.each([
    [10, 1],
    [10, 2],
    [10, 4],
    [11, 4],
    [3, 8],
    [1, 3],
  ])('%d examples, %d processes: equal shares, every example seen, padded from the beginning', (length, processes) => {
    const shares = ranks(processes).map(share => distributedSampler(length, { ...share, seed: 3 }))
    const lists = shares.map(sampler => indicesOf(sampler, 2))
    const share = Math.ceil(length / processes)
    expect(shares.map(sampler => sampler.length)).toEqual(Array(processes).fill(share))
    expect(lists.map(list => list.length)).toEqual(Array(processes).fill(share))
    // Taken in turns they are the whole order, going on from its beginning.
    const together = range(share).flatMap(i => lists.map(list => list[i] as number))
    const order = indicesOf(shuffledSampler(length, 3), 2)
    expect(together).toEqual(range(share * processes).map(i => order[i % length] as number))
    const counts = countEach(together, length)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })

  test.each([
    [11, 4, 8],
    [12, 4, 12],
    [3, 8, 0],
  ])('%d examples, %d processes, the last dropped: %d, none twice', (length, processes, seen) => {
    const lists = ranks(processes).map(share => indicesOf(distributedSampler(length, { ...share, dropLast: true })))
    expect(new Set(lists.map(list => list.length)).size).toBe(1)
    const together = lists.flat()
    expect(together.length).toBe(seen)
    expect(new Set(together).size).toBe(seen)
  })

  test("without shuffling, PyTorch's lists", () => {
    const lists = ranks(4).map(share => indicesOf(distributedSampler(10, { ...share, shuffle: false })))
    expect(lists).toEqual([
      [0, 4, 8],
      [1, 5, 9],
      [2, 6, 0],
      [3, 7, 1],
    ])
  })

  test('padding is a further copy: it is augmented by chances of its own', () => {
    const order = distributedSampler(3, { numReplicas: 8, rank: 7, shuffle: false }).order(0)
    expect(order).toEqual({ indices: Int32Array.of(1), repeats: Int32Array.of(2) })
  })

  test('no two of 100 seeds and 100 epochs have one order, and all processes take from the same', () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const shares = ranks(2).map(share => distributedSampler(20, { ...share, seed }))
      for (let epoch = 0; epoch < 100; epoch++) {
        const [even, odd] = shares.map(share => indicesOf(share, epoch)) as [number[], number[]]
        if (new Set([...even, ...odd]).size !== 20) throw new Error(`seed ${seed}, epoch ${epoch}: some twice`)
        orders.add(`${even} ${odd}`)
      }
    }
    expect(orders.size).toBe(10_000) // of 20! ≈ 2.4e18: by chance two are the same once in 5e10 times
  })

  test('setEpoch chooses the order that iterating gives', () => {
    const sampler = distributedSampler(100, { numReplicas: 2, rank: 1 })
    expect([...sampler]).toEqual(indicesOf(sampler, 0))
    sampler.setEpoch(5)
    expect([...sampler]).toEqual(indicesOf(sampler, 5))
    expect([...sampler]).not.toEqual(indicesOf(sampler, 0))
  })
})

describe('repeated augmentation', () => {
  test('one process: whole copies in a row, numbered, as many as the data set rounded down', () => {
    const sampler = repeatedAugmentationSampler(1000, { seed: 2 })
    const { indices, repeats } = sampler.order(1)
    expect([sampler.length, indices.length, repeats?.length]).toEqual([768, 768, 768])
    expect([...indices]).toEqual(range(256).flatMap(i => Array(3).fill(indices[3 * i]) as number[]))
    expect(new Set(indices).size).toBe(256)
    expect([...(repeats ?? [])]).toEqual(range(768).map(i => i % 3))
    expect(indicesOf(sampler, 2)).not.toEqual([...indices])
  })

  test('several processes: the copies of an example are in different ones', () => {
    const shares = ranks(3).map(share => repeatedAugmentationSampler(512, { ...share, seed: 2 }))
    expect(shares.map(sampler => sampler.length)).toEqual([170, 170, 170])
    const [first, ...others] = shares.map(sampler => indicesOf(sampler))
    for (const other of others) expect(other).toEqual(first as number[])
    expect(shares.map(sampler => sampler.order(0).repeats?.[5])).toEqual([0, 1, 2])
  })

  test('padding wraps around, as a copy after all the others', () => {
    const { indices, repeats } = repeatedAugmentationSampler(4, {
      numReplicas: 5,
      rank: 4,
      numRepeats: 1,
      shuffle: false,
      selectedRound: 1,
    }).order(0)
    expect([indices.length, repeats?.length]).toEqual([0, 0]) // floor(4 / 5), as DeiT has it
    const share = repeatedAugmentationSampler(7, { numReplicas: 2, rank: 1, shuffle: false, selectedRound: 1 })
    expect(indicesOf(share)).toEqual([0, 1, 1]) // places 1, 3 and 5 of 0 0 0 1 1 1 …
    expect([...(share.order(0).repeats ?? [])]).toEqual([1, 0, 2])
  })
})

describe('weighted', () => {
  test('with replacement: in proportion to the weights, none of weight 0', () => {
    const weights = [1, 0, 3, 6]
    const sampler = weightedSampler(weights, { numSamples: 20_000, seed: 4 })
    const { indices, repeats } = sampler.order(0)
    const counts = countEach(indices, 4)
    // Six standard deviations of a binomial: √(20000 · p · (1 − p)) is 70 at most.
    for (const [i, weight] of weights.entries())
      expect(Math.abs((counts[i] as number) - 2000 * weight)).toBeLessThan(420)
    expect(counts[1]).toBe(0)
    expect(repeats?.[19_999]).toBe((counts[indices[19_999] as number] as number) - 1)
    expect([...(repeats ?? [])].filter((_, i) => indices[i] === 2)).toEqual(range(counts[2] as number))
    expect(indicesOf(sampler, 1)).not.toEqual([...indices])
  })

  test('without replacement: none twice, the first in proportion to the weights, none of weight 0', () => {
    const sampler = weightedSampler([1, 0, 3, 6], { numSamples: 3, replacement: false, seed: 4 })
    const firsts = Array<number>(4).fill(0)
    for (let epoch = 0; epoch < 2000; epoch++) {
      const indices = indicesOf(sampler, epoch)
      expect(sorted(indices)).toEqual([0, 2, 3])
      const first = indices[0] as number
      firsts[first] = (firsts[first] as number) + 1
    }
    for (const [i, share] of [0.1, 0, 0.3, 0.6].entries())
      expect(Math.abs((firsts[i] as number) - 2000 * share)).toBeLessThan(132)
  })

  test('class-balanced: as many of the rare class as of the others', () => {
    const labels = Int32Array.from({ length: 1000 }, (_, i) => (i < 900 ? 0 : i < 990 ? 1 : 2))
    const { indices } = classBalancedSampler(labels, { numSamples: 9000 }).order(0)
    const counts = countEach(
      [...indices].map(index => labels[index] as number),
      3,
    )
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(270)
  })

  test('another name for other weights', () => {
    const names = [
      [1, 2],
      [2, 1],
      [1, 2, 0],
    ].map(weights => weightedSampler(weights, { numSamples: 2 }).name)
    expect(new Set(names).size).toBe(3)
    expect(weightedSampler([1, 2], { numSamples: 2 }).name).toBe(names[0] as string)
  })
})

test.each<[string, () => Sampler, string]>([
  [
    'a rank',
    () => distributedSampler(5, { numReplicas: 2, rank: 2 }),
    'rank is 2; expected a whole number from 0 to 1',
  ],
  ['no process', () => distributedSampler(5, { numReplicas: 0, rank: 0 }), 'numReplicas is 0; expected a whole number'],
  ['a length', () => sequentialSampler(1.5), 'sequentialSampler: length is 1.5; expected'],
  ['too few', () => repeatedAugmentationSampler(100), 'has 100 examples, and an epoch is a multiple of 256'],
  ['repeats', () => repeatedAugmentationSampler(500, { numRepeats: 0 }), 'numRepeats is 0; expected'],
  ['a weight', () => weightedSampler([1, -1]), 'the weight of example 1 is -1; expected a number from 0 on'],
  ['no weights', () => weightedSampler([0, 0]), 'numSamples is 2, but only 0 of 2 weights are above 0'],
  ['weights', () => weightedSampler([1, 0], { replacement: false }), 'only 1 of 2 weights are above 0; draw fewer'],
])('refuses %s that is out of range', (_, make, message) => {
  expect(make).toThrow(message)
})
