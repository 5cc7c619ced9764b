/**
 * The JPEG files that most folders are full of, decoded in less than half of sharp's time: by the libjpeg-turbo of the
 * system where one is installed, through @vitral/backend-node. It is what PIL decodes with, and gives the same bytes.
 */
import type { RawImage } from '../types.ts'
import type { ImageHeader } from './image-header.ts'

interface JpegDecoder {
  decodeJpeg(size: number, file: Uint8Array, width: number, height: number, rgb: Uint8Array): boolean
}

/** It runs in the calling thread and cannot be interrupted: beyond so many pixels, about 60 ms, sharp has its time limit. */
const mostPixels = 2 ** 24
/** Each goes over all of the image. A sequential file has one, or one for each component. */
const mostScans = 3

let loading: Promise<JpegDecoder | undefined> | undefined

/**
 * @param scans how many the file has
 * @returns undefined for a file that is left to sharp: one that is unusual, large or damaged; and where there is no library
 */
export async function decodePlainJpeg(
  bytes: Uint8Array,
  header: ImageHeader,
  scans: number,
): Promise<RawImage | undefined> {
  const { size, jpeg } = header
  if (!size || !jpeg?.isBaseline || jpeg.orientation !== 1 || (header.components !== 1 && header.components !== 3))
    return undefined
  const { width, height } = size
  if (scans > mostScans || width === 0 || height === 0 || width * height > mostPixels) return undefined
  loading ??= load()
  const decoder = await loading
  if (!decoder) return undefined
  const data = new Uint8Array(width * height * 3)
  return decoder.decodeJpeg(bytes.length, bytes, width, height, data) ? { data, width, height, channels: 3 } : undefined
}

async function load(): Promise<JpegDecoder | undefined> {
  if (process.env.VITRAL_JPEG === 'sharp') return undefined
  const name = '@vitral/backend-node/images' // not a literal: the package is optional, for bundlers too
  try {
    return (
      (await import(/* @vite-ignore */ name)) as { nativeJpegDecoder(): JpegDecoder | undefined }
    ).nativeJpegDecoder()
  } catch {
    return undefined // the bytes are the same without it
  }
}
