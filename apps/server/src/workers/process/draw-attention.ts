/** Lays attention over an image: patches the model attends to stay bright, the others and what is cropped away become dark. */
import { fittedRegion, type ImageGeometry, type Region } from '@vitral/core/image'
import type { RawImage } from '@vitral/datasets'
import sharp from 'sharp'
import type { EngineOutput } from '../../engine.ts'

/** Longest side of the picture, in pixels. */
const maxSide = 1024
/** Brightness of a patch without attention, relative to the image's own. */
const darkest = 0.2

// libvips may open these formats only, and only from memory: this holds for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})

/**
 * @param attention height × width values from 0 to 1, one for each patch
 * @param geometry how the model's input was cut from the image
 * @returns a PNG file
 */
export async function drawAttention(
  image: RawImage,
  { height, width, values }: NonNullable<EngineOutput['attention']>,
  geometry: ImageGeometry,
): Promise<Uint8Array<ArrayBuffer>> {
  const raw = { width: image.width, height: image.height, channels: image.channels as 3 }
  const picture = await sharp(image.data, { raw })
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const size = { width: picture.info.width, height: picture.info.height }
  const light = Uint8Array.from(values, value => Math.round(255 * (darkest + (1 - darkest) * value)))
  const seen = placeIn(size, fittedRegion(image, geometry))
  const lit = await sharp(light, { raw: { width, height, channels: 1 } })
    .resize({ width: seen.width, height: seen.height, fit: 'fill', kernel: 'cubic' })
    .extract(seen.shown)
    .toColourspace('srgb')
    .removeAlpha()
    .png()
    .toBuffer()
  const dark = Math.round(255 * darkest)
  const mask = await sharp({ create: { ...size, channels: 3, background: { r: dark, g: dark, b: dark } } })
    .composite([{ input: lit, left: Math.max(0, seen.left), top: Math.max(0, seen.top) }])
    .png()
    .toBuffer()
  const png = await sharp(picture.data, { raw: { ...size, channels: picture.info.channels } })
    .composite([{ input: mask, blend: 'multiply' }])
    .removeAlpha()
    .png()
    .toBuffer()
  return new Uint8Array(png)
}

/** A region in pixels of the picture, and the part of it that is not padding. */
function placeIn(size: { width: number; height: number }, region: Region) {
  const along = (
    side: 'width' | 'height',
    start: number,
  ): { start: number; length: number; skipped: number; shown: number } => {
    const length = Math.max(1, Math.round(region[side] * size[side]))
    const first = Math.min(size[side] - 1, Math.round(start * size[side]))
    const skipped = Math.max(0, -first)
    return {
      start: first,
      length,
      skipped,
      shown: Math.max(1, Math.min(length - skipped, size[side] - Math.max(0, first))),
    }
  }
  const [x, y] = [along('width', region.left), along('height', region.top)]
  return {
    left: x.start,
    top: y.start,
    width: x.length,
    height: y.length,
    shown: { left: x.skipped, top: y.skipped, width: x.shown, height: y.shown },
  }
}
