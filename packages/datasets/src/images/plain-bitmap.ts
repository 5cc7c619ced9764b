/** BMP and Netpbm, which sharp does not read: by the decoders of Rust's `image` in @napi-rs/image, in a thread of their own. */
import type { RawImage } from '../types.ts'
import { refused } from './decoder.ts'
import type { ImageFormat, ImageHeader } from './image-header.ts'

const formats: ReadonlySet<ImageFormat> = new Set(['bmp', 'netpbm'])

export const isPlainBitmap = ({ format }: ImageHeader): boolean => formats.has(format)

/**
 * @returns RGB, as PIL's convert('RGB'): alpha is dropped, 16 bits are rounded to eight
 * @throws a Refusal
 */
export async function decodePlainBitmap(bytes: Uint8Array, { size }: ImageHeader): Promise<RawImage> {
  // Without a size nothing has checked how large the image is.
  if (!size || size.width < 1 || size.height < 1) throw refused(new Error('The header gives it no pixels.'))
  const { Transformer } = await import('@napi-rs/image')
  // A copy, since the decoder runs in another thread.
  const raw = await new Transformer(Uint8Array.from(bytes)).rawPixels().catch((error: unknown) => {
    throw refused(error)
  })
  const { width, height } = size
  return { data: toRgb(raw, width * height), width, height, channels: 3 }
}

/** What the decoder makes of PBM and PGM, of BMP and PPM, of BMP with alpha, and of Netpbm with more than 255 levels. */
const layouts = [
  { channels: 1, bytes: 1 },
  { channels: 3, bytes: 1 },
  { channels: 4, bytes: 1 },
  { channels: 1, bytes: 2 },
  { channels: 3, bytes: 2 },
] as const

/** The decoder gives bytes, or 16 bits in the machine's order; they become RGB. */
function toRgb(raw: Uint8Array, pixels: number): Uint8Array {
  const layout = layouts.find(({ channels, bytes }) => raw.length === pixels * channels * bytes)
  if (!layout) throw refused(new Error(`${raw.length} bytes were decoded for ${pixels} pixels.`))
  const { channels, bytes } = layout
  if (channels === 3 && bytes === 1) return raw
  const values = bytes === 1 ? raw : new Uint16Array(raw.slice().buffer)
  const [divisor, step] = [bytes === 1 ? 1 : 257, channels < 3 ? 0 : 1]
  const rgb = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = Math.round((values[i * channels + c * step] as number) / divisor)
  return rgb
}
