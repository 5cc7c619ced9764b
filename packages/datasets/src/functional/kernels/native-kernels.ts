/** The native loops in Bun and Node: those of @vitral/backend-node, if it is installed. */
import type { ImageKernels } from '@vitral/core/image'

/**
 * @returns undefined where the package or its binary is not there, and with VITRAL_IMAGES=plain in the environment
 */
export async function loadNativeKernels(): Promise<ImageKernels | undefined> {
  if (process.env.VITRAL_IMAGES === 'plain') return undefined
  const name = '@vitral/backend-node/images' // not a literal: the package is optional, for bundlers too
  try {
    return ((await import(/* @vite-ignore */ name)) as { nativeImageKernels(): ImageKernels }).nativeImageKernels()
  } catch {
    return undefined // the bytes are the same without it
  }
}
