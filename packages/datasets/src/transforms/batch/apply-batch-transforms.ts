/** The end of a batch's making: transforms that need all of its images. */
import { deriveSeed } from '@vitral/core/image'
import { Random } from '../../random/random.ts'
import type { Batch, BatchTransform } from '../../types.ts'

/**
 * Applies transforms in their order, each with a stream of its own.
 *
 * @param seed this batch's, uint32
 * @param numClasses K of the soft labels
 */
export function applyBatchTransforms(
  transforms: readonly BatchTransform[],
  batch: Batch,
  seed: number,
  numClasses: number,
): Batch {
  return transforms.reduce(
    (result, transform, i) => transform.apply(result, new Random(deriveSeed(seed, i)), numClasses),
    batch,
  )
}
