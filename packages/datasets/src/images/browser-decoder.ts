/** Decoding in browsers and their workers, by the browser's own decoders. */
import { decodeInBrowser, toChannels } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { type DecodeLimits, type Decoder, Refusal, refused, tooManyPixels } from './decoder.ts'
import type { ImageHeader } from './image-header.ts'
import { readAddress } from './read-address.ts'

/** A worker takes a relative URL to be one beside its own script. */
function locate(url: string): string {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
  return new URL(url, document?.baseURI ?? location?.href).href
}

const read: Decoder['read'] = (url, maxBytes) => readAddress(url, maxBytes, fetch)

async function decode(bytes: Uint8Array, _: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  const check = ({ width, height }: { width: number; height: number }): void => {
    if (width * height > limits.maxPixels) throw tooManyPixels(limits)
  }
  const rgba = await decodeInBrowser(bytes, check).catch((error: unknown) => {
    throw error instanceof Refusal ? error : refused(error)
  })
  return toChannels(rgba, 3)
}

export const decoder: Decoder = { formats: ['jpeg', 'png', 'webp', 'avif', 'gif', 'bmp'], locate, read, decode }
