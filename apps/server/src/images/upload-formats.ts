/** Image formats that the server accepts; a decoder is given nothing else. */
import type { ImageFormat } from '@vitral/datasets/images'

export const uploadFormats: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'bmp', 'netpbm']
