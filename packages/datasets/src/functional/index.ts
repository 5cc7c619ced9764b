/** Transforms with given parameters, torchvision's names: `functional.rotate(image, 15)`. */
export { type AffineOptions, affine } from './affine.ts'
export { type Both, type GaussianBlurOptions, gaussianBlur } from './blur.ts'
export { adjustBrightness, adjustContrast, adjustSaturation } from './color.ts'
export { type EraseValue, erase } from './erase.ts'
export {
  type CenterCropOptions,
  centerCrop,
  crop,
  hflip,
  type ResizeOptions,
  type ResizeSize,
  resize,
  resizedCrop,
  vflip,
} from './geometry.ts'
export { toGrayscale } from './grayscale.ts'
export { adjustHue } from './hue.ts'
export { autocontrast, equalize, invert, posterize, solarize } from './levels.ts'
export { type Fill, type Padding, type PaddingMode, type PadOptions, pad } from './pad.ts'
export { type RotateOptions, rotate } from './rotate.ts'
export { adjustSharpness } from './sharpness.ts'
export { normalize, toTensor } from './tensor.ts'
