/** Image files in detail, for Node, Bun and browsers: formats, headers, limits, and what a broken file is. */

export type { ImageSource } from '@vitral/core/image'
export { usesNativeImages } from '../functional/kernels/kernels.ts'
export { BrokenImageError, type BrokenImageReason, UnreadableImageError } from './broken-image.ts'
export { type DecodeOptions, decodeImage, defaultMaxPixels } from './decode-image.ts'
export type { BrokenImageOptions } from './decode-or-skip.ts'
export { type ImageFormat, type ImageHeader, readImageHeader } from './image-header.ts'
