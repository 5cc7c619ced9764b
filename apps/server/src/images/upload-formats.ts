/** The formats of images that the server takes from strangers; a decoder is handed nothing else. */
import type { ImageFormat } from '@vitral/datasets/images'

export const uploadFormats: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'bmp', 'netpbm']
