/** From colour to grey, as PIL's convert('L'). */
import type { RawImage } from '../types.ts'
import { checkChannels } from './checks.ts'
import { kernels } from './kernels/kernels.ts'

/**
 * The image in grey (torchvision's to_grayscale).
 *
 * @param image RGB or grey
 * @param numOutputChannels 1, or 3 equal ones
 */
export function toGrayscale(image: RawImage, numOutputChannels: 1 | 3 = 1): RawImage {
  checkChannels('toGrayscale', image)
  if (numOutputChannels !== 1 && numOutputChannels !== 3)
    throw new Error(`toGrayscale: numOutputChannels is ${numOutputChannels}; expected 1 or 3.`)
  const { data: source, width, height, channels } = image
  const pixels = source.length / channels
  const data = new Uint8Array(pixels * numOutputChannels)
  if (channels === 1)
    for (let i = 0; i < data.length; i++) data[i] = source[Math.floor(i / numOutputChannels)] as number
  else if (numOutputChannels === 1) kernels.luma(pixels, source, data)
  else kernels.blendWithLuma(pixels, source, 0, data)
  return { data, width, height, channels: numOutputChannels }
}
