/** In browsers there are no native loops. */
import type { ImageKernels } from '@vitral/core/image'

export const loadNativeKernels = async (): Promise<ImageKernels | undefined> => undefined
