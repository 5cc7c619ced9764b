import { toGrayscale } from '../../functional/grayscale.ts'
import type { RawImage, Transform } from '../../types.ts'
import { checkNumber, imageTransform } from '../define.ts'

/**
 * The image in grey (torchvision's Grayscale).
 *
 * @param numOutputChannels 1, or 3 equal ones
 */
export function grayscale(numOutputChannels: 1 | 3 = 1): Transform<RawImage, RawImage> {
  if (numOutputChannels !== 1 && numOutputChannels !== 3)
    throw new Error(`grayscale: numOutputChannels is ${numOutputChannels}; expected 1 or 3.`)
  return imageTransform('grayscale', [numOutputChannels], image => toGrayscale(image, numOutputChannels))
}

/** The image in grey with a probability, with as many channels as it has (torchvision's RandomGrayscale). */
export function randomGrayscale(probability = 0.1): Transform<RawImage, RawImage> {
  checkNumber('randomGrayscale', 'probability', probability, 0, 1)
  return imageTransform('randomGrayscale', [probability], (image, random) =>
    random.chance(probability) && image.channels !== 1 ? toGrayscale(image, 3) : image,
  )
}
