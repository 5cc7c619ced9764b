/** MixUp and CutMix: what is mixed, in which shares, with which labels, and where the loader applies them. */
import { describe, expect, test } from 'bun:test'
import { packedDataset } from '../../datasets/packed-dataset.ts'
import { createLoader } from '../../loader/loader.ts'
import { Random } from '../../random/random.ts'
import type { Batch, BatchTransform } from '../../types.ts'
import * as transforms from '../index.ts'

const numClasses = 5
const [channels, height, width] = [2, 12, 16]
const size = channels * height * width

/** Image i has the value i + 1 everywhere, and label i. */
function batchOf(count: number): Batch {
  return {
    pixelValues: {
      data: Float32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) + 1),
      shape: [count, channels, height, width],
    },
    labels: Int32Array.from({ length: count }, (_, i) => i % numClasses),
    indices: Int32Array.from({ length: count }, (_, i) => 10 * i),
    skipped: [],
  }
}

const apply = (transform: BatchTransform, seed: number, count = 4): Batch =>
  transform.apply(batchOf(count), new Random(seed), numClasses)

const imageOf = ({ pixelValues }: Batch, i: number): Float32Array => pixelValues.data.slice(i * size, (i + 1) * size)

const rowsOf = ({ softLabels }: Batch): number[][] => {
  const { data, shape } = softLabels as NonNullable<Batch['softLabels']>
  expect(data.length).toBe(shape[0] * shape[1])
  return Array.from({ length: shape[0] }, (_, i) => [...data.slice(i * shape[1], (i + 1) * shape[1])])
}

const before = (i: number, count: number): number => (i + count - 1) % count

describe('mixUp', () => {
  for (const count of [1, 4, 5])
    test(`a batch of ${count}: each image and label with the one before it`, () => {
      const mixed = apply(transforms.mixUp({ alpha: 0.4 }), 1, count)
      const rows = rowsOf(mixed)
      const share = count === 1 ? 1 : (rows[1]?.[1] as number)
      if (count > 1) expect(share > 0.001 && share < 0.999).toBe(true)
      for (let i = 0; i < count; i++) {
        const value = share * (i + 1) + (1 - share) * (before(i, count) + 1)
        for (const actual of imageOf(mixed, i)) expect(Math.abs(actual - value)).toBeLessThan(1e-6)
        const expected = Array<number>(numClasses).fill(0)
        for (const [label, part] of [
          [i, share],
          [before(i, count), 1 - share],
        ] as const)
          expected[label] = (expected[label] as number) + part
        for (const [label, part] of expected.entries())
          expect(Math.abs((rows[i]?.[label] as number) - part)).toBeLessThan(1e-6)
      }
      expect(mixed.labels).toEqual(batchOf(count).labels)
      expect(mixed.indices).toEqual(batchOf(count).indices)
    })

  test('shares are of Beta(alpha, alpha)', () => {
    const shares = Array.from(
      { length: 2000 },
      (_, seed) => rowsOf(apply(transforms.mixUp({ alpha: 0.5 }), seed, 2))[0]?.[0],
    )
    const mean = shares.reduce((sum: number, share) => sum + (share as number), 0) / 2000
    const variance = shares.reduce((sum: number, share) => sum + ((share as number) - 0.5) ** 2, 0) / 2000
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.027) // 3.4 standard deviations
    expect(Math.abs(variance - 1 / 8)).toBeLessThan(0.008)
  })
})

describe('cutMix', () => {
  test('the same rectangle of every image is that of the one before it; labels have its area', () => {
    let [cut, rectangles] = [0, new Set<string>()]
    for (let seed = 0; seed < 200; seed++) {
      const mixed = apply(transforms.cutMix(), seed)
      const first = imageOf(mixed, 0)
      const place = [...first].map(value => value === 4)
      for (let i = 0; i < 4; i++)
        expect([...imageOf(mixed, i)]).toEqual(place.map(other => (other ? before(i, 4) : i) + 1))
      const taken = place.filter(other => other).length / size
      for (const [i, row] of rowsOf(mixed).entries()) {
        expect(Math.abs((row[before(i, 4)] as number) - taken)).toBeLessThan(1e-6)
        expect(Math.abs((row[i] as number) - (1 - taken))).toBeLessThan(1e-6)
      }
      // Both channels, and a rectangle: its rows are all the same, or not in it.
      expect(place.slice(size / 2)).toEqual(place.slice(0, size / 2))
      const rows = Array.from({ length: height }, (_, y) => place.slice(y * width, (y + 1) * width).join())
      expect(new Set(rows.filter(row => row.includes('true'))).size).toBeLessThan(2)
      if (taken > 0) cut++
      rectangles.add(place.join())
    }
    expect(cut).toBeGreaterThan(150)
    expect(rectangles.size).toBeGreaterThan(120)
  })

  test('the area is uniform for alpha 1, where no edge cuts it', () => {
    const areas: number[] = []
    for (let seed = 0; seed < 1500; seed++) {
      const random = new Random(seed)
      random.below = count => count / 2 // the middle
      const mixed = transforms.cutMix().apply(batchOf(2), random, numClasses)
      areas.push(rowsOf(mixed)[0]?.[1] as number)
    }
    const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length
    expect(mean).toBeGreaterThan(0.33) // below a half, since lengths are cut to pixels
    expect(mean).toBeLessThan(0.5)
  })
})

describe('probability and switch', () => {
  test('a batch that is not mixed has its labels as soft ones', () => {
    for (const transform of [transforms.mixUp({ probability: 0 }), transforms.cutMix({ probability: 0 })]) {
      const same = apply(transform, 3)
      expect(same.pixelValues).toEqual(batchOf(4).pixelValues)
      expect(rowsOf(same)).toEqual([0, 1, 2, 3].map(label => [0, 1, 2, 3, 4].map(k => (k === label ? 1 : 0))))
    }
  })

  test('mixUpOrCutMix: both, as often as asked', () => {
    const counts = { none: 0, mixUp: 0, cutMix: 0 }
    const options = { mixUpAlpha: 4, cutMixAlpha: 4, probability: 0.8, switchProbability: 0.25 }
    for (let seed = 0; seed < 2000; seed++) {
      const { data } = apply(transforms.mixUpOrCutMix(options), seed, 2).pixelValues
      const values = new Set(data.subarray(0, size))
      if (values.size === 2) counts.cutMix++
      else if (data[0] === 1) counts.none++
      else counts.mixUp++
    }
    expect(Math.abs(counts.mixUp / 2000 - 0.6)).toBeLessThan(0.038) // 3.4 standard deviations
    expect(Math.abs(counts.cutMix / 2000 - 0.2)).toBeLessThan(0.031)
  })

  test('batch transforms one after the other mix the soft labels on', () => {
    const batch = transforms.applyBatchTransforms([transforms.mixUp(), transforms.cutMix()], batchOf(4), 7, numClasses)
    for (const row of rowsOf(batch)) {
      expect(Math.abs(row.reduce((sum, part) => sum + part, 0) - 1)).toBeLessThan(1e-6)
      expect(row.filter(part => part > 0).length).toBe(3)
    }
  })

  test('a batch without images stays one', () => {
    for (const transform of [transforms.mixUp(), transforms.cutMix()]) {
      const { pixelValues, softLabels } = transform.apply(
        { ...batchOf(0), pixelValues: { data: new Float32Array(0), shape: [0, 0, 0, 0] } },
        new Random(0),
        numClasses,
      )
      expect(pixelValues.data.length).toBe(0)
      expect(softLabels?.shape).toEqual([0, numClasses])
    }
  })
})

test('made again from JSON, the same by seed', () => {
  const all = [
    transforms.mixUp({ alpha: 0.3, probability: 0.5 }),
    transforms.cutMix({ alpha: 2 }),
    transforms.mixUpOrCutMix({ switchProbability: 0.4 }),
  ]
  for (const transform of all) {
    const { name, args } = transform
    const again = transforms.createBatchTransform(JSON.parse(JSON.stringify({ name, args })))
    for (let seed = 0; seed < 20; seed++) expect(apply(again, seed)).toEqual(apply(transform, seed))
  }
  expect(() => transforms.createBatchTransform({ name: 'blend', args: [] })).toThrow(
    "There is no batch transform 'blend'; expected one of cutMix, mixUp, mixUpOrCutMix.",
  )
})

test('wrong arguments are named', () => {
  expect(() => transforms.mixUp({ alpha: 0 })).toThrow('mixUp: alpha is 0; expected a number above 0.')
  expect(() => transforms.cutMix({ probability: 2 })).toThrow(
    'cutMix: probability is 2; expected a number from 0 to 1.',
  )
  expect(() => transforms.mixUpOrCutMix({ switchProbability: -1 })).toThrow('mixUpOrCutMix: switchProbability is -1')
  expect(() => transforms.mixUp().apply(batchOf(4), new Random(0), 3)).toThrow(
    "The label of the batch's image 3 is 3; expected one from 0 to 2.",
  )
})

describe('in the loader', () => {
  const pixels = new Uint8Array(new SharedArrayBuffer(20 * 4 * 4))
  for (let i = 0; i < pixels.length; i++) pixels[i] = i * 7
  const labels = new Int32Array(new SharedArrayBuffer(20 * 4))
  for (let i = 0; i < labels.length; i++) labels[i] = i % 3
  const dataset = packedDataset({ pixels, labels, width: 4, height: 4, channels: 1, classes: ['a', 'b', 'c'] })
  const options = {
    transforms: [transforms.toTensor()],
    batchTransforms: [transforms.mixUpOrCutMix()],
    batchSize: 6,
    shuffle: true,
    seed: 4,
  }

  async function epoch(workers: number, number: number, firstBatch = 0): Promise<Batch[]> {
    const loader = createLoader(dataset, { ...options, workers })
    const batches = await Array.fromAsync(loader.batches({ epoch: number, firstBatch }))
    await loader.close()
    return batches
  }

  test('the same batches for every number of workers and from the middle on, others in each epoch', async () => {
    const alone = await epoch(0, 1)
    expect(alone.map(({ softLabels }) => softLabels?.shape)).toEqual([
      [6, 3],
      [6, 3],
      [6, 3],
      [2, 3],
    ])
    expect(await epoch(2, 1)).toEqual(alone)
    expect(await epoch(0, 1, 2)).toEqual(alone.slice(2))
    const rows = (batches: Batch[]): string => batches.flatMap(rowsOf).join(';')
    expect(rows(await epoch(0, 2))).not.toEqual(rows(alone))
  })

  test('an unknown batch transform is told before workers start', () => {
    const own: BatchTransform = { name: 'own', args: [], apply: batch => batch }
    expect(() => createLoader(dataset, { ...options, batchTransforms: [own], workers: 1 })).toThrow(
      "There is no batch transform 'own'",
    )
  })
})
