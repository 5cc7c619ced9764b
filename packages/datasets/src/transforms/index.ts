/** Factories of transforms, torchvision's names: `transforms.randomCrop(32, { padding: 4 })`. */
export { type AugMixOptions, augMix } from './aug-mix.ts'
export { type AutoAugmentOptions, autoAugment } from './auto-augment.ts'
export type { AutoAugmentPolicy } from './auto-augment-policies.ts'
export { applyBatchTransforms } from './batch/apply-batch-transforms.ts'
export { createBatchTransform } from './batch/create-batch-transform.ts'
export { cutMix } from './batch/cut-mix.ts'
export type { MixOptions } from './batch/mix.ts'
export { mixUp } from './batch/mix-up.ts'
export { type MixUpOrCutMixOptions, mixUpOrCutMix } from './batch/mix-up-or-cut-mix.ts'
export { centerCrop } from './center-crop.ts'
export {
  articleFineTune,
  articleFromScratch,
  type Chain,
  type ChainOptions,
  chains,
  cifar10Mean,
  cifar10Std,
  cifar32,
  cifar32Flip,
} from './chains.ts'
export { type ColorJitterOptions, colorJitter, type Strength } from './color-jitter.ts'
export { compose } from './compose.ts'
export { createTransform } from './create-transform.ts'
export type { Degrees } from './define.ts'
export { type GaussianBlurTransformOptions, gaussianBlur } from './gaussian-blur.ts'
export { grayscale, randomGrayscale } from './grayscale.ts'
export { normalize } from './normalize.ts'
export { type RandAugmentOptions, randAugment } from './rand-augment.ts'
export { type RandomAffineOptions, randomAffine } from './random-affine.ts'
export { type RandomCropOptions, randomCrop } from './random-crop.ts'
export { type RandomErasingOptions, randomErasing } from './random-erasing.ts'
export { randomHorizontalFlip } from './random-horizontal-flip.ts'
export { type RandomResizedCropOptions, randomResizedCrop } from './random-resized-crop.ts'
export { randomRotation } from './random-rotation.ts'
export { randomVerticalFlip } from './random-vertical-flip.ts'
export { resize } from './resize.ts'
export { toTensor } from './to-tensor.ts'
export { type TrivialAugmentWideOptions, trivialAugmentWide } from './trivial-augment-wide.ts'
