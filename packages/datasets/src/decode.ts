/** Image files to RGB bytes. */
import { readFile } from 'node:fs/promises'
import type { RawImage } from './types.ts'

export interface DecodeOptions {
  /** Largest number of pixels; more are refused before they are decoded. @default 67108864, 8192 × 8192 */
  maxPixels?: number
}

/**
 * Decodes a JPEG, PNG, WebP, AVIF, TIFF or GIF (its first frame) to RGB, as PIL's convert('RGB') would: grey and palette become colour, alpha is
 * dropped, colour profiles are not applied. EXIF's orientation is.
 *
 * @param source path of a file, or its bytes
 * @returns 3 channels
 * @throws naming the file when it cannot be read, is no image, is cut off, or has too many pixels
 * @example
 * const { width, height } = await decodeImage('cat.jpg')
 */
export async function decodeImage(
  source: string | Uint8Array,
  { maxPixels = 8192 * 8192 }: DecodeOptions = {},
): Promise<RawImage> {
  const name = typeof source === 'string' ? source : `An image of ${source.length} bytes`
  const bytes = typeof source === 'string' ? await read(source) : source
  if (bytes.length === 0) throw new Error(`${name} is empty; expected an image file.`)
  // Loaded on the first call: data sets that are not image files need no codec.
  const { default: sharp } = await import('sharp')
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: maxPixels, ignoreIcc: true })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels }
  } catch (error) {
    throw new Error(`${name} cannot be decoded: ${explain(error as Error, maxPixels)}`, { cause: error })
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`${path} does not exist; expected an image file.`)
    if (code === 'EISDIR') throw new Error(`${path} is a folder; expected an image file.`)
    throw error
  }
}

function explain({ message }: Error, maxPixels: number): string {
  if (message.includes('pixel limit')) return `it has more than ${maxPixels} pixels; raise maxPixels if that is meant.`
  if (message.includes('unsupported image format')) return 'it is no JPEG, PNG, WebP, AVIF, TIFF or GIF.'
  return `${message.trim()}. The file may be cut off or damaged.`
}
