/** What the first bytes of an image file say, before a decoder is trusted with it: its format and how large it claims to be. */

/** The formats that are decoded; whatever else a decoder knows (SVG, PDF, …) is never handed to it. */
export const imageFormats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const
export type ImageFormat = (typeof imageFormats)[number]

export interface ImageHeader {
  format: ImageFormat
  /** Absent when the header does not reach so far, and for TIFF. */
  size?: { width: number; height: number }
  /** Channels of a JPEG: 1 is grey, 3 colour, 4 CMYK. */
  components?: number
  /** Of a JPEG: whether it is sequential with Huffman codes and eight bits, and how EXIF says it is turned, if so. */
  jpeg?: { isBaseline: boolean; orientation: number | undefined }
}

type Reader = (bytes: Uint8Array, view: DataView) => Omit<ImageHeader, 'format'>

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
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
}

/** @returns undefined for what is none of the formats */
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

/** Goes from segment to segment to the frame header. */
function readJpeg(bytes: Uint8Array, view: DataView): ReturnType<Reader> {
  let orientation: number | undefined = 1
  for (let at = 2; ; ) {
    while (view.getUint8(at) !== 0xff) at++
    while (view.getUint8(at) === 0xff) at++
    const marker = bytes[at] as number
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame)
      return {
        size: { width: view.getUint16(at + 6), height: view.getUint16(at + 4) },
        components: view.getUint8(at + 8),
        jpeg: { isBaseline: (marker === 0xc0 || marker === 0xc1) && view.getUint8(at + 3) === 8, orientation },
      }
    if (marker === 0xe1 && ascii(bytes, at + 3, at + 7) === 'Exif') orientation = readOrientation(view, at + 9)
    if (marker === 0xda || marker === 0xd9) return {} // pixels before any frame header: no decoder takes that
    at += 1 + view.getUint16(at + 1)
  }
}

/**
 * @param start of the TIFF header within
 * @returns 1 where nothing is said; undefined where that cannot be read here
 */
function readOrientation(view: DataView, start: number): number | undefined {
  const order = view.getUint16(start)
  if (order !== 0x4949 && order !== 0x4d4d) return undefined
  const little = order === 0x4949
  const directory = start + view.getUint32(start + 4, little)
  const entries = view.getUint16(directory, little)
  for (let entry = directory + 2; entry < directory + 2 + 12 * entries; entry += 12)
    if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little)
  return 1
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
