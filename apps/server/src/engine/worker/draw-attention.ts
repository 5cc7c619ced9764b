/** Lays attention over an image: what was looked at keeps its light, the rest goes dark. */
import sharp from 'sharp'
import { EngineError, type EngineOutput } from '../engine.ts'

/** The picture's longer side at most, in pixels. */
const maxSide = 1024
/** How much of its light is left to what was not looked at. */
const darkest = 0.2

// Of all that its library could open, these alone, and from memory alone: for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})

/**
 * @returns a PNG file
 * @throws EngineError 'image_corrupt' for what sharp refuses
 */
export async function drawAttention(
  image: Uint8Array,
  { height, width, values }: NonNullable<EngineOutput['attention']>,
  { maxPixels, timeoutSeconds }: { maxPixels: number; timeoutSeconds: number },
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const picture = await sharp(image, { limitInputPixels: maxPixels, failOn: 'warning' })
      .timeout({ seconds: timeoutSeconds })
      .autoOrient()
      .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .removeAlpha()
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
  } catch (error) {
    throw new EngineError('image_corrupt', 'The image cannot be drawn; it may be cut off or damaged.', {
      cause: error,
    })
  }
}
