/**
 * Images and chance without tensors, for threads that prepare images: `@vitral/core` itself starts with tfjs-core, which
 * takes each of them a tenth of a second and memory.
 */
export { deriveSeed, randomBits } from '../tape/random.ts'
export type { ImageBytes, ImageKernels } from './image-kernels.ts'
export { type Interpolation, type RawImage, type ResizeOptions, resizeImage } from './resize.ts'
