/** Lays attention over an image: what was looked at keeps its light, the rest goes dark. */
import type { RawImage } from '@vitral/datasets'
import sharp from 'sharp'
import type { EngineOutput } from '../engine.ts'

/** The picture's longer side at most, in pixels. */
const maxSide = 1024
/** How much of its light is left to what was not looked at. */
const darkest = 0.2

// Of all that its library could open, these alone, and from memory alone: for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})

/** @returns a PNG file */
export async function drawAttention(
  image: RawImage,
  { height, width, values }: NonNullable<EngineOutput['attention']>,
): Promise<Uint8Array<ArrayBuffer>> {
  const raw = { width: image.width, height: image.height, channels: image.channels as 3 }
  const picture = await sharp(image.data, { raw })
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const size = { width: picture.info.width, height: picture.info.height }
  const light = Uint8Array.from(values, value => Math.round(255 * (darkest + (1 - darkest) * value)))
  const mask = await sharp(light, { raw: { width, height, channels: 1 } })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .toColourspace('srgb')
    .removeAlpha()
    .png()
    .toBuffer()
  const png = await sharp(picture.data, { raw: { ...size, channels: picture.info.channels } })
    .composite([{ input: mask, blend: 'multiply' }])
    .removeAlpha()
    .png()
    .toBuffer()
  return new Uint8Array(png)
}
