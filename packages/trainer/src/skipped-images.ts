/** Images that could not be decoded: told once, counted, and too many of them are an error after all. */
import type { Batch } from '@vitral/datasets'

/** Called with the reason for each image that is left out, once for each. */
export type OnSkipped = (reason: string) => void

/** More than this share of broken images is no accident. */
const mostSkipped = 0.01
/** So many are allowed in a small data set. */
const fewSkipped = 10

/**
 * Passes batches on and tells of the images they lack.
 *
 * @param length of the data set
 * @returns what takes an epoch's batches; images that were told of in an epoch before are not told of again
 * @throws while a batch is taken: when it has no image at all, or more than 1 % of the data set (and 10 images) is broken
 */
export function skippedImages(
  length: number,
  onSkipped: OnSkipped,
): (batches: AsyncIterable<Batch>) => AsyncGenerator<Batch, void, undefined> {
  const told = new Set<number>()
  return async function* pass(batches) {
    for await (const batch of batches) {
      for (const { index, reason } of batch.skipped) {
        if (told.has(index)) continue
        told.add(index)
        onSkipped(reason)
      }
      const [first] = batch.skipped
      if (batch.labels.length === 0 && first)
        throw new Error(`None of the ${batch.skipped.length} images of a batch can be decoded: ${first.reason}`)
      if (told.size > Math.max(fewSkipped, length * mostSkipped))
        throw new Error(
          `${told.size} of ${length} images cannot be decoded, which is too many to leave out; vitral data inspect lists them.`,
        )
      yield batch
    }
  }
}
