/** Images that could not be decoded: told once, counted, and too many of them are an error after all. */
import type { Batch } from '@vitral/datasets'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { exchange } from '../ddp/exchange.ts'

/** Called with the reason for each image that is left out, once for each. */
export type OnSkipped = (reason: string) => void

/** More than this share of broken images is no accident. */
const mostSkipped = 0.01
/** So many are allowed in a small data set. */
const fewSkipped = 10

/**
 * Passes batches on and tells of the images they lack; a batch may come out without any. Several processes tell each other
 * which images they lack, so that all count alike, and end at the same batch: each must take as many batches.
 *
 * @param length of the data set
 * @returns what takes an epoch's batches; images that were told of in an epoch before are not told of again
 * @throws while a batch is taken: when no image of the data set is whole, or more than 1 % of it (and 10 images) is broken
 */
export function skippedImages(
  length: number,
  onSkipped: OnSkipped,
  collectives: Collectives = alone,
): (batches: AsyncIterable<Batch>) => AsyncGenerator<Batch, void, undefined> {
  const told = new Set<number>()

  async function note(skipped: Batch['skipped']): Promise<void> {
    const reasons = new Map(skipped.map(({ index, reason }) => [index, reason]))
    let last = ''
    for (const [rank, indices] of (await ofAll(collectives, [...reasons.keys()])).entries())
      for (const index of indices) {
        if (told.has(index)) continue
        told.add(index)
        const reason = reasons.get(index)
        if (rank === collectives.rank && reason !== undefined) onSkipped(reason)
        last = reason ?? last
      }
    if (told.size === length) throw new Error(`None of the ${length} images can be decoded. ${last}`.trimEnd())
    if (told.size > Math.max(fewSkipped, length * mostSkipped))
      throw new Error(
        `${told.size} of ${length} images cannot be decoded, which is too many to leave out; vitral data inspect lists them.`,
      )
  }

  return async function* pass(batches) {
    for await (const batch of batches) {
      await note(batch.skipped)
      yield batch
    }
  }
}

/** Everyone's images by rank; most batches lack none, which one short message says. */
async function ofAll(collectives: Collectives, own: readonly number[]): Promise<number[][]> {
  if (collectives.worldSize === 1) return [[...own]]
  const counts = (await exchange(collectives, [own.length])).flat()
  return counts.some(count => count > 0) ? exchange(collectives, own, { equal: false }) : []
}
