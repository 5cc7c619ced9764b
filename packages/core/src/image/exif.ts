/** How an image file says it is turned: EXIF's orientation, 1 to 8, and pixels turned by it. */
import type { RawImage } from './raw-image.ts'

/**
 * Looks among the entries that the data have room for, however many they say there are.
 *
 * @param tiff EXIF's data from the TIFF header on
 * @returns 1 where nothing is said; undefined where that cannot be read here
 */
export function readOrientation(tiff: Uint8Array): number | undefined {
  if (tiff.length < 8) return undefined
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return undefined
  const little = order === 0x4949
  const directory = view.getUint32(4, little)
  if (directory + 2 > tiff.length) return undefined
  const first = directory + 2
  const end = first + 12 * view.getUint16(directory, little)
  if (end > tiff.length) return undefined
  for (let entry = first; entry < end; entry += 12)
    if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little)
  return 1
}

const [png, riff, webp, exif, exifOfPng] = [0x89504e47, 0x52494646, 0x57454250, 0x45584946, 0x65584966]

/** The orientation in a PNG's or a WebP's bytes; 1 of other formats, which browsers turn themselves. */
export function orientationOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tagAt = (at: number): number => (at + 4 <= bytes.length ? view.getUint32(at) : 0)
  if (tagAt(0) === png) {
    for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at))
      if (tagAt(at + 4) === exifOfPng)
        return known(readOrientation(bytes.subarray(at + 8, at + 8 + view.getUint32(at))))
  } else if (isWebp(bytes)) {
    for (let at = 12; at + 8 <= bytes.length; ) {
      const length = view.getUint32(at + 4, true)
      if (tagAt(at) === exif) return known(readOrientation(tiffOf(bytes.subarray(at + 8, at + 8 + length))))
      at += 8 + length + (length % 2)
    }
  }
  return 1
}

export function isWebp(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return bytes.length >= 12 && view.getUint32(0) === riff && view.getUint32(8) === webp
}

/** Some writers put JPEG's name of the segment before it. */
const tiffOf = (chunk: Uint8Array): Uint8Array =>
  new TextDecoder('latin1').decode(chunk.subarray(0, 6)) === 'Exif\0\0' ? chunk.subarray(6) : chunk

const known = (orientation: number | undefined): number =>
  orientation !== undefined && orientation >= 1 && orientation <= 8 ? orientation : 1

/** The image as it is to be seen, from one that is stored in an orientation. */
export function turned(image: RawImage, orientation: number): RawImage {
  if (orientation === 1) return image
  const { data: source, width: oldWidth, height: oldHeight, channels } = image
  const isAcross = orientation >= 5
  const [width, height] = isAcross ? [oldHeight, oldWidth] : [oldWidth, oldHeight]
  const fromRight = [2, 3, 7, 8].includes(orientation)
  const fromBottom = [3, 4, 6, 7].includes(orientation)
  const data = new Uint8Array(source.length)
  for (let y = 0, out = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = isAcross ? [y, x] : [x, y]
      const from = (fromBottom ? oldHeight - 1 - row : row) * oldWidth + (fromRight ? oldWidth - 1 - column : column)
      for (let c = 0; c < channels; c++) data[out++] = source[from * channels + c] as number
    }
  return { data, width, height, channels }
}
