/** What the first bytes of an image file say, before a decoder is trusted with it: its format and how large it claims to be. */

import { readOrientation } from '@vitral/core/image'

/** The formats that are decoded; whatever else a decoder knows (SVG, PDF, …) is never handed to it. */
export const imageFormats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif', 'bmp', 'netpbm'] as const
/** Format of an image file, known by its bytes. */
export type ImageFormat = (typeof imageFormats)[number]

/** What the head of an image file says, before anything is decoded. */
export interface ImageHeader {
  /** Format, known by the first bytes. */
  format: ImageFormat
  /** Absent when the header does not reach so far, and for TIFF. */
  size?: { width: number; height: number }
  /** Channels of a JPEG: 1 is grey, 3 colour, 4 CMYK. */
  components?: number
  /** For a JPEG alone: whether it is sequential with Huffman codes and eight bits, and how EXIF says it is turned, if so. */
  jpeg?: { isBaseline: boolean; orientation: number | undefined }
}

type Reader = (bytes: Uint8Array, view: DataView) => Omit<ImageHeader, 'format'>

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  // biome-ignore lint/plugin: eight bytes at most
  String.fromCharCode(...bytes.subarray(start, end))

const formats: Record<ImageFormat, { matches: (start: Uint8Array) => boolean; read: Reader }> = {
  jpeg: { matches: ([a, b, c]) => a === 0xff && b === 0xd8 && c === 0xff, read: readJpeg },
  png: {
    matches: start => ascii(start, 0, 8) === '\x89PNG\r\n\x1a\n',
    read: (_, view) => ({ size: { width: view.getUint32(16), height: view.getUint32(20) } }),
  },
  webp: { matches: start => ascii(start, 0, 4) === 'RIFF' && ascii(start, 8, 12) === 'WEBP', read: readWebp },
  avif: { matches: isAvif, read: readAvif },
  tiff: { matches: start => ['II*\0', 'MM\0*'].includes(ascii(start, 0, 4)), read: () => ({}) },
  gif: {
    matches: start => /^GIF8[79]a/.test(ascii(start, 0, 6)),
    read: (_, view) => ({ size: { width: view.getUint16(6, true), height: view.getUint16(8, true) } }),
  },
  bmp: { matches: start => ascii(start, 0, 2) === 'BM' && bmpHeaderSizes.has(start[14] as number), read: readBmp },
  netpbm: { matches: start => /^P[1-6][\s#]/.test(ascii(start, 0, 3)), read: readNetpbm },
}

/** Format and size of an image file, without decoding it. @returns undefined for what is none of the formats */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const format = imageFormats.find(name => formats[name].matches(bytes))
  if (!format) return undefined
  try {
    return { format, ...formats[format].read(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) }
  } catch (error) {
    if (error instanceof RangeError) return { format } // cut off: the decoder says so
    throw error
  }
}

/**
 * Steps from segment to segment on the way to the frame header. Cameras write about ten, profiles and depth maps up to some
 * hundreds; a file of millions would hold up whoever asks for its header, which servers do where they answer.
 */
export const mostSegments = 4096

/** Goes from segment to segment to the frame header. */
function readJpeg(bytes: Uint8Array, view: DataView): ReturnType<Reader> {
  let orientation: number | undefined
  let hasExif = false
  for (let at = 2, steps = 0; steps < mostSegments; steps++) {
    at = bytes.indexOf(0xff, at)
    if (at < 0) return {}
    const marker = view.getUint8(++at)
    if (marker === 0xff) continue // filling
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) {
      const isBaseline = (marker === 0xc0 || marker === 0xc1) && view.getUint8(at + 3) === 8
      return {
        size: { width: view.getUint16(at + 6), height: view.getUint16(at + 4) },
        components: view.getUint8(at + 8),
        jpeg: { isBaseline, orientation: hasExif ? orientation : 1 },
      }
    }
    if (marker === 0xda || marker === 0xd9) return {} // pixels before any frame header: no decoder takes that
    const end = at + 1 + view.getUint16(at + 1)
    // The first such segment counts, as it does for the decoders.
    if (!hasExif && marker === 0xe1 && ascii(bytes, at + 3, at + 7) === 'Exif') {
      hasExif = true
      orientation = readOrientation(bytes.subarray(at + 9, end))
    }
    at = end
  }
  return {}
}

function readWebp(bytes: Uint8Array, view: DataView): ReturnType<Reader> {
  const kind = ascii(bytes, 12, 16)
  if (kind === 'VP8X') {
    const low24 = (at: number): number => view.getUint32(at, true) & 0xffffff
    return { size: { width: 1 + low24(24), height: 1 + low24(27) } }
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true)
    return { size: { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) } }
  }
  return { size: { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff } }
}

/** AVIF's brand among those of the first box; HEIC has the same box. */
function isAvif(start: Uint8Array): boolean {
  if (ascii(start, 4, 8) !== 'ftyp') return false
  const end = Math.min(new DataView(start.buffer, start.byteOffset).getUint32(0), 256)
  return [8, ...Array.from({ length: 60 }, (_, i) => 16 + 4 * i)].some(
    at => at < end && ['avif', 'avis'].includes(ascii(start, at, at + 4)),
  )
}

/** The largest of the sizes that the file's items have, of which some may be parts or a thumbnail. */
function readAvif(bytes: Uint8Array, view: DataView): ReturnType<Reader> {
  let size: ImageHeader['size']
  for (let at = 0; at < Math.min(bytes.length, 65536) - 16; at++) {
    if (bytes[at] !== 0x69 || ascii(bytes, at, at + 4) !== 'ispe') continue
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)]
    if (!size || width * height > size.width * size.height) size = { width, height }
  }
  return { size }
}

/** Sizes of the headers that BMP has had, which tell it from text that begins with its two letters. */
const bmpHeaderSizes: ReadonlySet<number> = new Set([12, 16, 40, 52, 56, 64, 108, 124])

/** OS/2's header has 16-bit sides; all later ones have 32 bits, the height negative where the first row is the top one. */
function readBmp(_: Uint8Array, view: DataView): ReturnType<Reader> {
  if (view.getUint32(14, true) === 12)
    return { size: { width: view.getUint16(18, true), height: view.getUint16(20, true) } }
  return { size: { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) } }
}

/** PBM, PGM and PPM: the magic number, width and height as text, divided by spaces and comments. */
function readNetpbm(bytes: Uint8Array): ReturnType<Reader> {
  const [, width, height] =
    /^P\d(?:\s|#[^\n\r]*[\n\r])+(\d+)(?:\s|#[^\n\r]*[\n\r])+(\d+)\s/.exec(ascii(bytes, 0, 1024)) ?? []
  return width && height ? { size: { width: Number(width), height: Number(height) } } : {}
}
