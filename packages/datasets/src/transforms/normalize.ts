import { normalize as normalizeNow } from '../functional/tensor.ts'
import type { ImageTensor, Transform } from '../types.ts'
import { tensorTransform } from './define.ts'

/** (value − mean) / std for each channel (torchvision's Normalize). */
export function normalize(mean: readonly number[], std: readonly number[]): Transform<ImageTensor, ImageTensor> {
  return tensorTransform('normalize', [mean, std], tensor => normalizeNow(tensor, mean, std))
}
