/** From bytes to the floats a model takes: torchvision's to_tensor and normalize, in single precision as PyTorch's. */
import { checkImage } from '@vitral/core/image'
import type { ImageTensor, RawImage } from '../types.ts'

const { fround } = Math

/** Bytes [H, W, C] → floats [C, H, W] from 0 to 1. */
export function toTensor(image: RawImage): ImageTensor {
  checkImage(image)
  const { data: source, width, height, channels } = image
  const data = new Float32Array(source.length)
  const plane = width * height
  for (let pixel = 0, i = 0; pixel < plane; pixel++)
    for (let c = 0; c < channels; c++) data[c * plane + pixel] = (source[i++] as number) / 255
  return { data, shape: [channels, height, width] }
}

/**
 * (value − mean) / std for each channel.
 *
 * @throws when there is not one mean and one positive std for each channel
 */
export function normalize(tensor: ImageTensor, mean: readonly number[], std: readonly number[]): ImageTensor {
  const [channels, height, width] = tensor.shape
  if (mean.length !== channels || std.length !== channels || !std.every(value => value > 0))
    throw new Error(
      `normalize: mean is [${mean.join(', ')}] and std [${std.join(', ')}]; expected ${channels} numbers each for ${channels} channels, std above 0.`,
    )
  const { data: source } = tensor
  const data = new Float32Array(source.length)
  const plane = width * height
  for (let c = 0, i = 0; c < channels; c++) {
    const center = fround(mean[c] as number)
    const scale = fround(std[c] as number)
    for (const end = i + plane; i < end; i++) data[i] = fround(fround((source[i] as number) - center) / scale)
  }
  return { data, shape: [channels, height, width] }
}
