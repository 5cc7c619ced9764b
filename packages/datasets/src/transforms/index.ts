/** Factories of transforms, torchvision's names: `transforms.randomCrop(32, { padding: 4 })`. */
export { type AugMixOptions, augMix } from './auto-augment/aug-mix.ts'
export { type AutoAugmentOptions, autoAugment } from './auto-augment/auto-augment.ts'
export type { AutoAugmentPolicy } from './auto-augment/auto-augment-policies.ts'
export { type RandAugmentOptions, randAugment } from './auto-augment/rand-augment.ts'
export { type TrivialAugmentWideOptions, trivialAugmentWide } from './auto-augment/trivial-augment-wide.ts'
export { applyBatchTransforms } from './batch/apply-batch-transforms.ts'
export { createBatchTransform } from './batch/create-batch-transform.ts'
export { cutMix } from './batch/cut-mix.ts'
export type { MixOptions } from './batch/mix.ts'
export { mixUp } from './batch/mix-up.ts'
export { type MixUpOrCutMixOptions, mixUpOrCutMix } from './batch/mix-up-or-cut-mix.ts'
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
export { type ColorJitterOptions, colorJitter, type Strength } from './color/color-jitter.ts'
export { type GaussianBlurTransformOptions, gaussianBlur } from './color/gaussian-blur.ts'
export { grayscale, randomGrayscale } from './color/grayscale.ts'
export { compose } from './compose.ts'
export { createTransform } from './create-transform.ts'
export type { Degrees } from './define.ts'
export { centerCrop } from './geometry/center-crop.ts'
export { type RandomAffineOptions, randomAffine } from './geometry/random-affine.ts'
export { type RandomCropOptions, randomCrop } from './geometry/random-crop.ts'
export { type RandomErasingOptions, randomErasing } from './geometry/random-erasing.ts'
export { randomHorizontalFlip } from './geometry/random-horizontal-flip.ts'
export { type RandomResizedCropOptions, randomResizedCrop } from './geometry/random-resized-crop.ts'
export { randomRotation } from './geometry/random-rotation.ts'
export { randomVerticalFlip } from './geometry/random-vertical-flip.ts'
export { resize } from './geometry/resize.ts'
export { normalize } from './normalize.ts'
export { toTensor } from './to-tensor.ts'
