/** Decoding in Bun and Node, by sharp, whose codecs run outside of JavaScript's thread; and of plain JPEG faster. */
import { readFile, stat } from 'node:fs/promises'
import type { Sharp } from 'sharp'
import type { RawImage } from '../types.ts'
import { cmykToRgb } from './cmyk.ts'
import { type DecodeLimits, type Decoder, refused } from './decoder.ts'
import { type ImageHeader, imageFormats } from './image-header.ts'
import { decodePlainJpeg } from './turbo-jpeg.ts'

export const decoder: Decoder = { formats: imageFormats, read, decode }

async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    // Before it is opened: opening a named pipe would wait for ever.
    const file = await stat(path)
    if (file.isDirectory()) throw new Error('is a folder; expected an image file.')
    if (!file.isFile()) throw new Error('is no regular file; expected an image file.')
    if (file.size > maxBytes) throw new Error(`has ${file.size} bytes, more than maxBytes, ${maxBytes}.`)
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error('does not exist; expected an image file.', { cause: error })
    if (code === 'EACCES') throw new Error('may not be read by this user.', { cause: error })
    throw code ? new Error(`cannot be read (${message}).`, { cause: error }) : error
  }
}

async function decode(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  return (await decodePlainJpeg(bytes, header)) ?? (await decodeBySharp(bytes, header, limits))
}

async function decodeBySharp(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  // Loaded on the first call: data sets that are not image files need no codec.
  const { default: sharp } = await import('sharp')
  const open = (): Sharp =>
    // As PIL does, warnings are passed over; what is cut off or damaged is not. Profiles are not applied.
    sharp(bytes, { limitInputPixels: limits.maxPixels, ignoreIcc: true, failOn: 'error' })
      .timeout({ seconds: limits.timeoutSeconds })
      .autoOrient()
  try {
    const isCmyk = header.components === 4 || (header.format === 'tiff' && (await open().metadata()).space === 'cmyk')
    const colours = isCmyk
      ? open().pipelineColourspace('cmyk').toColourspace('cmyk')
      : open().toColourspace('srgb').removeAlpha()
    const { data, info } = await colours.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const image = { data, width: info.width, height: info.height, channels: info.channels }
    return isCmyk ? cmykToRgb(image) : image
  } catch (error) {
    throw new Error(explain(error as Error, limits), { cause: error })
  }
}

function explain({ message }: Error, { maxPixels, timeoutSeconds }: DecodeLimits): string {
  if (message.includes('pixel limit')) return `it has more than ${maxPixels} pixels; raise maxPixels if that is meant.`
  if (message.includes('timeout'))
    return `it takes longer than ${timeoutSeconds} s; raise timeoutSeconds if that is meant.`
  // The decoder's own words are in the cause alone: images decoded at the same time write them into one buffer.
  return refused
}
