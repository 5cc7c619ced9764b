/**
 * Whether an image file is whole, where that shows in its bytes: Firefox 153 takes a JPEG, PNG or BMP that was cut off and
 * fills in what is missing, and passes over the checksums of a PNG. Chromium, sharp and PIL refuse them.
 */

/** @returns what is wrong, or undefined: also for formats whose decoders look themselves */
export function whatIsMissing(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegEnds(bytes) ? undefined : 'it is cut off'
    if (bytes.length >= 8 && view.getUint32(0) === 0x89504e47) return faultOfPng(bytes, view)
    if (bytes[0] === 0x42 && bytes[1] === 0x4d) return bmpEnds(view) ? undefined : 'it is cut off'
  } catch (error) {
    if (error instanceof RangeError) return 'it is cut off'
    throw error
  }
  return undefined
}

const [firstRestart, lastRestart, imageStart, imageEnd] = [0xd0, 0xd7, 0xd8, 0xd9]

/** From segment to segment to the end's marker: a thumbnail in a segment has one too. */
function jpegEnds(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[++at]
    if (marker === imageEnd) return true
    if (marker === undefined || marker <= 1 || marker === 0xff || marker === imageStart) continue // stuffing, filling
    if (marker >= firstRestart && marker <= lastRestart) continue
    at += 1 + (((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)) // its length counts its own two bytes
  }
  return false
}

/** Chunks of length, name, data and CRC; what belongs to the picture has a name that begins with a capital. */
function faultOfPng(bytes: Uint8Array, view: DataView): string | undefined {
  let hasPixels = false
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at)
    const name = view.getUint32(at + 4)
    const end = at + 8 + length
    const stored = view.getUint32(end)
    const isCritical = (bytes[at + 4] as number) < 0x60
    if (isCritical && crc32(bytes.subarray(at + 4, end)) !== stored)
      return 'its bytes do not match their checksum (CRC)'
    if (name === 0x49454e44) return undefined // IEND
    hasPixels ||= name === 0x49444154 // IDAT
    at = end + 4
  }
  return hasPixels ? undefined : 'it is cut off' // an end without its mark will do, as elsewhere
}

/** Rows of whole words; the sizes of run-length codes are in the header. */
function bmpEnds(view: DataView): boolean {
  const [offset, headerBytes] = [view.getUint32(10, true), view.getUint32(14, true)]
  const isOld = headerBytes === 12
  const [width, height] = isOld
    ? [view.getUint16(18, true), view.getUint16(20, true)]
    : [view.getInt32(18, true), Math.abs(view.getInt32(22, true))]
  const bits = view.getUint16(isOld ? 24 : 28, true)
  const compression = isOld ? 0 : view.getUint32(30, true)
  const isPlain = compression === 0 || compression === 3 || compression === 6
  const bytes = isPlain ? Math.ceil((width * bits) / 32) * 4 * height : view.getUint32(34, true)
  return offset + bytes <= view.byteLength
}

let table: Uint32Array | undefined

/** PNG's, zip's and gzip's. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    return value
  })
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number)
  return (crc ^ 0xffffffff) >>> 0
}
