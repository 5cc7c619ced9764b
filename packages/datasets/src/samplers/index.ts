/** Samplers: which examples an epoch has, and in which order. */
export { type DistributedSampler, type DistributedSamplerOptions, distributedSampler } from './distributed.ts'
export type { Replicas } from './rank-share.ts'
export { type RepeatedAugmentationOptions, repeatedAugmentationSampler } from './repeated-augmentation.ts'
export type { Order, Sampler } from './sampler.ts'
export { sequentialSampler } from './sequential.ts'
export { shuffledSampler } from './shuffled.ts'
export { classBalancedSampler, type WeightedSamplerOptions, weightedSampler } from './weighted.ts'
