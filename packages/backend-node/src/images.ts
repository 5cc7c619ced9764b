/** The addon's functions of images, without TensorFlow.js: for the many threads that prepare images. */
import type { ImageKernels } from '@vitral/core/image'
import { loadAddon } from './native/addon.ts'

/**
 * Each call runs in the thread that makes it; none starts another.
 *
 * @throws when there is no binary for this platform, or it is of another version, with how to build it
 */
export function nativeImageKernels(): ImageKernels {
  // Addon's own type leaves them out: it is read when core is built, which may not read core's types.
  const addon = loadAddon() as object as Partial<ImageKernels>
  if (!addon.applyLut)
    throw new Error('The native kernels here are older than this package; build them again by: npx vitral-build-native')
  return addon as ImageKernels
}

/** Decodes in the calling thread, by the libjpeg-turbo that is installed. */
export interface JpegDecoder {
  /**
   * Decodes a JPEG of `size` bytes into RGB.
   *
   * @param rgb width × height × 3 bytes to fill
   * @returns false where the file is of another size, or damaged, or has anything unusual
   */
  decodeJpeg(size: number, file: Uint8Array, width: number, height: number, rgb: Uint8Array): boolean
}

/**
 * The system's libjpeg-turbo, if it can be loaded.
 *
 * @returns undefined where no libjpeg-turbo is installed (Debian: libturbojpeg0), or there is no binary
 */
export function nativeJpegDecoder(): JpegDecoder | undefined {
  const addon = loadAddon() as object as Partial<JpegDecoder & { hasJpegDecoder(): boolean }>
  return addon.hasJpegDecoder?.() ? (addon as JpegDecoder) : undefined
}
