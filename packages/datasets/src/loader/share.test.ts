/** Processes that share a loader's batches: together they have what one has, whatever their number. */
import { describe, expect, test } from 'bun:test'
import { load } from '../../test/load.ts'
import { photos } from '../../test/photos.ts'
import { packedDataset } from '../datasets/packed-dataset.ts'
import { repeatedAugmentationSampler } from '../samplers/index.ts'
import * as transforms from '../transforms/index.ts'
import type { Batch } from '../types.ts'
import { createLoader, type LoaderOptions } from './loader.ts'

const pixels = new Uint8Array(new SharedArrayBuffer(23 * 16))
for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 37) % 251
const labels = new Int32Array(new SharedArrayBuffer(23 * 4))
for (let i = 0; i < labels.length; i++) labels[i] = i % 3
const dataset = packedDataset({ pixels, labels, width: 4, height: 4, channels: 1, classes: ['a', 'b', 'c'] })

const options: LoaderOptions = {
  transforms: [transforms.randomHorizontalFlip(), transforms.toTensor()],
  batchSize: 7, // the last batch has 2
  shuffle: true,
  seed: 4,
}

async function epoch(more: Partial<LoaderOptions>, firstBatch = 0): Promise<Batch[]> {
  const loader = createLoader(dataset, { ...options, ...more })
  const batches = await Array.fromAsync(
    loader.batches({
      epoch: 1,
      firstBatch,
      plan: createLoader(dataset, { ...options, ...more, share: undefined }).plan,
    }),
  )
  await loader.close()
  return batches
}

const valuesOf = (batches: (Batch | undefined)[]) => ({
  pixels: batches.flatMap(batch => [...(batch?.pixelValues.data ?? [])]),
  labels: batches.flatMap(batch => [...(batch?.labels ?? [])]),
  soft: batches.flatMap(batch => [...(batch?.softLabels?.data ?? [])]),
  indices: batches.flatMap(batch => [...(batch?.indices ?? [])]),
})

describe('share', () => {
  const { mixUp, cutMix, mixUpOrCutMix } = transforms
  const cases: [string, Partial<LoaderOptions>][] = [
    ['plain', {}],
    ['mixed', { batchTransforms: [mixUpOrCutMix()] }],
    ['mixed twice', { batchTransforms: [mixUp(), cutMix()] }],
    ['made by threads', { batchTransforms: [mixUp()], workers: 1 }],
    [
      'images that come again',
      { shuffle: false, sampler: repeatedAugmentationSampler(23, { numRepeats: 3, seed: 2, selectedRound: 1 }) },
    ],
  ]
  test.each(cases)('%s: the parts of all processes are the batches of one', async (_, more) => {
    const one = await epoch(more)
    for (const numReplicas of [1, 2, 3, 5]) {
      const parts = await Promise.all(
        Array.from({ length: numReplicas }, (_, rank) => epoch({ ...more, share: { numReplicas, rank } })),
      )
      for (const [place, whole] of one.entries()) {
        expect(valuesOf(parts.map(batches => batches[place]))).toEqual(valuesOf([whole]))
        const counts = parts.map(batches => batches[place]?.labels.length ?? 0)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        expect(counts).toEqual(counts.toSorted((a, b) => b - a))
      }
    }
  })

  test.each([0, 1])(
    'images are left out: the others are mixed as in one process, with %d workers',
    async workers => {
      const files = await photos(14, { damaged: [0, 3, 4, 6, 9, 12, 13], onBroken: 'skip' })
      const chain = [transforms.resize([4, 4]), transforms.toTensor()]
      for (const batchTransforms of [[mixUp()], [mixUp(), cutMix()]]) {
        const all = { transforms: chain, batchTransforms, batchSize: 7, seed: 4, workers: 0 }
        const one = await load(files, all)
        expect(one.map(({ skipped }) => skipped.map(({ index }) => index))).toEqual([
          [0, 3, 4, 6],
          [9, 12, 13],
        ])
        // Each thread decodes anew, which takes its time: with threads of two processes alone.
        for (const numReplicas of workers > 0 ? [2] : [2, 3, 5, 7]) {
          const ranks = Array.from({ length: numReplicas }, (_, rank) => ({ numReplicas, rank }))
          const parts = await Promise.all(ranks.map(share => load(files, { ...all, workers, share })))
          for (const [place, whole] of one.entries()) {
            expect(valuesOf(parts.map(batches => batches[place]))).toEqual(valuesOf([whole]))
            expect(parts.flatMap(batches => batches[place]?.skipped ?? [])).toEqual(whole.skipped)
          }
        }
      }
    },
    60_000,
  )

  test('it goes on in the middle of an epoch, with another number of processes', async () => {
    const rest = (await epoch({})).slice(2)
    const parts = await Promise.all([0, 1].map(rank => epoch({ share: { numReplicas: 2, rank } }, 2)))
    expect(parts.map(batches => batches.length)).toEqual([2, 2])
    for (const [place, whole] of rest.entries())
      expect(valuesOf(parts.map(batches => batches[place]))).toEqual(valuesOf([whole]))
  })

  test('a rank that is not one is refused', () => {
    expect(() => createLoader(dataset, { ...options, share: { numReplicas: 2, rank: 2 } })).toThrow('share: rank is 2')
  })
})
