/**
 * Images and chance without tensors, for threads that prepare images: `@vitral/core` itself starts with tfjs-core, which
 * takes each of them a tenth of a second and memory.
 */
export { deriveSeed, randomBits } from '../tape/random.ts'
export { lumaAt, toChannels } from './channels.ts'
export { type CropRounding, centerCropImage, centerStart, cropImage, cropRoundings } from './crop.ts'
export { fitImage, fittedRegion, fittedSize, type ImageGeometry, type Region } from './fit-image.ts'
export type { ImageBytes, ImageKernels } from './image-kernels.ts'
export { type ExactSize, geometryOf } from './processor-config.ts'
export { checkImage, type RawImage } from './raw-image.ts'
export { type Interpolation, interpolations, type ResizeOptions, resizeImage, shortestEdgeSize } from './resize.ts'
