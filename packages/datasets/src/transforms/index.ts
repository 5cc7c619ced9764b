/** Factories of transforms, torchvision's names: `transforms.randomCrop(32, { padding: 4 })`. */
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
export { type ColorJitterOptions, colorJitter } from './color-jitter.ts'
export { compose } from './compose.ts'
export { createTransform } from './create-transform.ts'
export { normalize } from './normalize.ts'
export { type RandomCropOptions, randomCrop } from './random-crop.ts'
export { randomHorizontalFlip } from './random-horizontal-flip.ts'
export { randomRotation } from './random-rotation.ts'
export { resize } from './resize.ts'
export { toTensor } from './to-tensor.ts'
