/** The channels of an image brought to those a model takes: grey, RGB, or any number of them as they are. */
import { checkImage, type RawImage } from './raw-image.ts'

/** Luma of the pixel that begins at i, as PIL's convert('L') has it: ITU-R 601-2 in 16-bit fixed point. */
export const lumaAt = (rgb: RawImage['data'], i: number): number =>
  ((rgb[i] as number) * 19595 + (rgb[i + 1] as number) * 38470 + (rgb[i + 2] as number) * 7471 + 0x8000) >> 16

/**
 * The image with so many channels. For 3 grey becomes RGB and alpha is dropped, for 1 RGB becomes luma and alpha is
 * dropped, as PIL's convert('RGB') and convert('L') do; for any other number the image has to have it.
 *
 * @throws when the image has channels that cannot become those
 */
export function toChannels(image: RawImage, channels: number): RawImage {
  checkImage(image)
  if (image.channels === channels) return image
  if (channels !== 1 && channels !== 3)
    throw new Error(
      `An image has ${image.channels} channels, but the processor has mean and deviation of ${channels}; expected images of ${channels}.`,
    )
  if (image.channels < 1 || image.channels > 4)
    throw new Error(`An image has ${image.channels} channels; expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).`)
  return { ...image, data: channels === 1 ? greyOf(image) : rgbOf(image), channels }
}

function greyOf({ data, width, height, channels }: RawImage): Uint8Array {
  const grey = new Uint8Array(width * height)
  for (let pixel = 0, i = 0; pixel < grey.length; pixel++, i += channels)
    grey[pixel] = channels >= 3 ? lumaAt(data, i) : (data[i] as number)
  return grey
}

function rgbOf({ data, width, height, channels }: RawImage): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let c = 0; c < 3; c++) rgb[pixel * 3 + c] = data[pixel * channels + (channels === 4 ? c : 0)] as number
  return rgb
}
