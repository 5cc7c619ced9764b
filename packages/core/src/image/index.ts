/**
 * Images and chance without tensors, for threads that prepare images: `@vitral/core` itself starts with tfjs-core, which
 * takes each of them a tenth of a second and memory.
 */
export { deriveSeed, randomBits } from '../tape/random.ts'
export { lumaAt, toChannels } from './channels.ts'
export { type CropRounding, centerCropImage, centerStart, cropImage, cropRoundings } from './crop.ts'
export { decodeInBrowser } from './decode-in-browser.ts'
export { readOrientation } from './exif.ts'
export { fitImage, fittedRegion, fittedSize, type ImageGeometry, type Region } from './fit-image.ts'
export type { ImageBytes, ImageKernels } from './image-kernels.ts'
export {
  type EncodedSource,
  encodedSource,
  type ImageSource,
  isPixelSource,
  isRawImage,
  nameOfSource,
  type PixelSource,
} from './image-source.ts'
export { type ExactSize, geometryOf } from './processor-config.ts'
export { checkImage, type RawImage } from './raw-image.ts'
export { readPixels } from './read-pixels.ts'
export { type Interpolation, interpolations, type ResizeOptions, resizeImage, shortestEdgeSize } from './resize.ts'
