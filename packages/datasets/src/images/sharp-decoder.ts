/** Decoding in Bun and Node, by sharp, whose codecs run outside of JavaScript's thread; plain JPEG faster, and bitmaps. */
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Sharp } from 'sharp'
import { pathOnDisk } from '../files/file-names.ts'
import type { RawImage } from '../types.ts'
import { cmykToRgb } from './cmyk.ts'
import { type DecodeLimits, type Decoder, Refusal, refused, tooManyPixels, tooSlow } from './decoder.ts'
import { checkDepth, checkRange } from './deep-pixels.ts'
import { type ImageHeader, imageFormats } from './image-header.ts'
import { countScans, mostScans } from './jpeg-scans.ts'
import { decodePlainBitmap, isPlainBitmap } from './plain-bitmap.ts'
import { readAddress } from './read-address.ts'
import { decodePlainJpeg } from './turbo-jpeg.ts'

export const decoder: Decoder = { formats: imageFormats, read, decode }

/** What stays wrong with a path; every other fault of reading may pass, or is the machine's. */
const lasting: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; expected an image file.',
  EACCES: 'may not be read by this user.',
  EPERM: 'may not be read by this user.',
  ELOOP: 'cannot be read: its links go in a circle (ELOOP).',
  ENOTDIR: 'cannot be read: what it is said to be in is no folder (ENOTDIR).',
  ENAMETOOLONG: 'cannot be read: its name is too long (ENAMETOOLONG).',
}

async function read(source: string | URL, maxBytes: number): Promise<Uint8Array> {
  if (/^https?:\/\//i.test(`${source}`)) {
    const { proxiedFetch } = await import('@vitral/core/node')
    return readAddress(source, maxBytes, proxiedFetch)
  }
  const path = pathOnDisk(typeof source === 'string' ? source : fileURLToPath(source))
  try {
    // Before it is opened: opening a named pipe would wait for ever.
    const file = await stat(path)
    if (file.isDirectory()) throw new Refusal('is a folder; expected an image file.', 'damaged')
    if (!file.isFile()) throw new Refusal('is no regular file; expected an image file.', 'damaged')
    if (file.size > maxBytes) throw new Refusal(`has ${file.size} bytes, more than maxBytes, ${maxBytes}.`, 'limit')
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code) throw error
    const why = lasting[code]
    throw why ? new Refusal(why, 'damaged', error) : new Error(`cannot be read (${message}).`, { cause: error })
  }
}

async function decode(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  const scans = header.format === 'jpeg' ? countScans(bytes, () => performance.now() > limits.end) : 0
  if (scans === Infinity) throw tooSlow(limits)
  if (scans > mostScans)
    throw new Refusal(`it has more than ${mostScans} scans; expected a JPEG file of a few.`, 'time')
  if (isPlainBitmap(header)) return decodePlainBitmap(bytes, header)
  return (await decodePlainJpeg(bytes, header, scans)) ?? (await decodeBySharp(bytes, header, limits))
}

async function decodeBySharp(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage> {
  // Loaded on the first call: data sets that are not image files need no codec.
  const { default: sharp } = await import('sharp')
  const open = (): Sharp =>
    // Warnings are passed over, as PIL does; what is cut off or damaged is not. Profiles are not applied.
    sharp(bytes, { limitInputPixels: limits.maxPixels, ignoreIcc: true, failOn: 'error' })
      .timeout({ seconds: limits.timeoutSeconds })
      .autoOrient()
  try {
    const tiff = header.format === 'tiff' ? await open().metadata() : undefined
    if (tiff) checkDepth(tiff)
    const isCmyk = header.components === 4 || tiff?.space === 'cmyk'
    const colours = isCmyk
      ? open().pipelineColourspace('cmyk').toColourspace('cmyk')
      : open().toColourspace('srgb').removeAlpha()
    const { data, info } = await colours.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const image = { data, width: info.width, height: info.height, channels: info.channels }
    if (tiff || header.format === 'png') await checkRange(data, open)
    return isCmyk ? cmykToRgb(image) : image
  } catch (error) {
    throw explain(error as Error, limits)
  }
}

function explain(error: Error, limits: DecodeLimits): Refusal {
  if (error instanceof Refusal) return error
  if (error.message.includes('pixel limit')) return tooManyPixels(limits, error)
  if (error.message.includes('timeout')) return tooSlow(limits, error)
  // The decoder's own words are in the cause alone: images decoded at the same time write them into one buffer.
  return refused(error)
}
