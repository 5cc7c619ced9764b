/** Which loops over images' bytes are in use: native ones once they are loaded, if they can be; until then plain ones. */
import type { ImageKernels } from '@vitral/core/image'
import { loadNativeKernels } from '#native-kernels'
import { plainKernels } from './plain-kernels.ts'

export let kernels: ImageKernels = plainKernels

/** Puts others in use, for tests. @returns those before */
export function replaceKernels(others: ImageKernels): ImageKernels {
  const before = kernels
  kernels = others
  return before
}

const loading = loadNativeKernels().then(native => {
  kernels = native ?? plainKernels
  return native !== undefined
})

/**
 * Whether images are transformed by the native functions of @vitral/backend-node; the bytes are the same without, at a
 * fraction of the speed. They load when this package is imported, and are in use when the promise is fulfilled.
 * VITRAL_IMAGES=plain in the environment keeps them out.
 */
export const usesNativeImages = (): Promise<boolean> => loading
