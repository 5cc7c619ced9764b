import { toTensor as toTensorNow } from '../functional/tensor.ts'
import type { ImageTensor, RawImage, Transform } from '../types.ts'
import { imageTransform } from './define.ts'

/** Bytes [H, W, C] → floats [C, H, W] from 0 to 1 (torchvision's ToTensor). */
export function toTensor(): Transform<RawImage, ImageTensor> {
  return imageTransform('toTensor', [], toTensorNow)
}
