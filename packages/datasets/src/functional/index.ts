/** Transforms with given parameters, torchvision's names: `functional.rotate(image, 15)`. */
export { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from './color.ts'
export {
  centerCrop,
  crop,
  type Fill,
  hflip,
  type Padding,
  pad,
  type ResizeSize,
  resize,
  resizedCrop,
  vflip,
} from './geometry.ts'
export { type RotateOptions, rotate } from './rotate.ts'
export { normalize, toTensor } from './tensor.ts'
