/** From everything that is an image to its pixels. */
import { decodeFile } from '#image-files'
import { encodedSource, type ImageSource, isPixelSource, isRawImage } from './image-source.ts'
import type { RawImage } from './raw-image.ts'
import { readPixels } from './read-pixels.ts'

/**
 * Pixels of an image, as PIL has them once it has turned the image as EXIF says: no profile is applied, alpha is not
 * blended, nothing is scaled.
 *
 * @throws in one line that names the image, when it cannot be read or decoded, or is none
 */
export async function readImage(source: ImageSource): Promise<RawImage> {
  if (isRawImage(source)) return source
  if (isPixelSource(source)) return readPixels(source)
  return decodeFile(encodedSource(source))
}
