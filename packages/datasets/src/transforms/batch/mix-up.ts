import type { BatchTransform } from '../../types.ts'
import { type MixOptions, mixTransform, mixWithPrevious } from './mix.ts'

/**
 * Blends each image with another of the batch, and their labels likewise (torchvision's MixUp, arXiv 1710.09412).
 *
 * @example
 * createLoader(train, { transforms: cifar32({ train: true }), batchTransforms: [mixUp({ alpha: 0.2 })], batchSize: 64 })
 */
export function mixUp(options: MixOptions = {}): BatchTransform {
  return mixTransform('mixUp', options, ({ data, shape }, share) => {
    const [, channels, height, width] = shape
    mixWithPrevious(data, channels * height * width, share)
    return share
  })
}
