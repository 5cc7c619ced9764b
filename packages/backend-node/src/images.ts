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
  if (!addon.lookUpPlanes)
    throw new Error('The native kernels here are older than this package; build them again by: npx vitral-build-native')
  return addon as ImageKernels
}
