/** Colour adjustments as torchvision makes them on PIL images: 8-bit steps, single precision between them. */
import type { RawImage } from '../types.ts'

const { fround } = Math

/** Blends with black: factor 0 is black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: RawImage, factor: number): RawImage {
  checkFactor('adjustBrightness', factor)
  return blend(image, factor, () => 0)
}

/** Blends with the image's mean grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustContrast(image: RawImage, factor: number): RawImage {
  checkFactor('adjustContrast', factor)
  const luma = toLuma(image, 'adjustContrast')
  const mean = Math.trunc(luma.reduce((sum, value) => sum + value, 0) / luma.length + 0.5)
  return blend(image, factor, () => mean)
}

/** Blends with the image in grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustSaturation(image: RawImage, factor: number): RawImage {
  checkFactor('adjustSaturation', factor)
  const luma = toLuma(image, 'adjustSaturation')
  return blend(image, factor, pixel => luma[pixel] as number)
}

/**
 * Turns the hue.
 *
 * @param factor part of the colour wheel, from −0.5 to 0.5
 */
export function adjustHue(image: RawImage, factor: number): RawImage {
  if (!(factor >= -0.5 && factor <= 0.5))
    throw new Error(`adjustHue: factor is ${factor}; expected a number from -0.5 to 0.5.`)
  if (image.channels === 1) return image
  checkChannels(image, 'adjustHue')
  const shift = Math.trunc(factor * 255)
  const data = new Uint8Array(image.data.length)
  for (let i = 0; i < data.length; i += 3) turnHue(image.data, data, i, shift)
  return { ...image, data }
}

/** ITU-R 601-2 in 16-bit fixed point, as PIL's convert('L'). */
function toLuma({ data, channels, width, height }: RawImage, caller: string): Uint8Array {
  if (channels === 1) return Uint8Array.from(data)
  checkChannels({ channels }, caller)
  const luma = new Uint8Array(width * height)
  for (let pixel = 0, i = 0; pixel < luma.length; pixel++, i += 3)
    luma[pixel] =
      ((data[i] as number) * 19595 + (data[i + 1] as number) * 38470 + (data[i + 2] as number) * 7471 + 0x8000) >> 16
  return luma
}

/** other + factor · (image − other), cut to a byte. */
function blend(image: RawImage, factor: number, other: (pixel: number) => number): RawImage {
  const { data: source, channels } = image
  const data = new Uint8Array(source.length)
  const share = fround(factor)
  for (let pixel = 0, i = 0; i < data.length; pixel++) {
    const from = other(pixel)
    for (let c = 0; c < channels; c++, i++) {
      const value = fround(from + fround(share * ((source[i] as number) - from)))
      data[i] = Math.min(255, Math.max(0, value))
    }
  }
  return { ...image, data }
}

/** RGB → HSV in bytes → hue moved around the circle of 256 → RGB, for the pixel at i. */
function turnHue(source: RawImage['data'], data: Uint8Array, i: number, shift: number): void {
  const r = source[i] as number
  const g = source[i + 1] as number
  const b = source[i + 2] as number
  const value = Math.max(r, g, b)
  const range = value - Math.min(r, g, b)
  const saturation = range === 0 ? 0 : Math.trunc(fround(range / value) * 255)
  if (saturation === 0) {
    data.fill(value, i, i + 3)
    return
  }
  const hue = (hueByte(r, g, b, value, range) + shift) & 255
  const sixth = (hue * 6) / 255
  const sector = Math.floor(sixth)
  const part = fround(sixth - sector)
  const s = fround(saturation / 255)
  levels[0] = value
  levels[1] = Math.round(value * (1 - s))
  levels[2] = Math.round(value * (1 - fround(s * part)))
  levels[3] = Math.round(value * (1 - s * (1 - part)))
  const first = (sector % 6) * 3
  for (let c = 0; c < 3; c++) data[i + c] = levels[sectors[first + c] as number] as number
}

/** Of one pixel: its value, and the three lower levels that HSV's figure calls p, q and t. */
const levels = new Uint8Array(4)

/** Which level red, green and blue have in each sixth of the wheel. */
const sectors = Uint8Array.of(0, 3, 1, 2, 0, 1, 1, 0, 3, 1, 2, 0, 3, 1, 0, 0, 1, 2)

/** The angle in bytes, from the channel that is largest and the distances of the others from it. */
function hueByte(r: number, g: number, b: number, value: number, range: number): number {
  const toRed = fround((value - r) / range)
  const toGreen = fround((value - g) / range)
  const toBlue = fround((value - b) / range)
  const sixths =
    r === value ? fround(toBlue - toGreen) : g === value ? fround(2 + toRed - toBlue) : fround(4 + toGreen - toRed)
  const turns = sixths / 6 + 1
  return Math.trunc(fround(turns - Math.floor(turns)) * 255)
}

function checkFactor(name: string, factor: number): void {
  if (!(factor >= 0 && factor < Infinity))
    throw new Error(`${name}: factor is ${factor}; expected a number of at least 0.`)
}

function checkChannels({ channels }: { channels: number }, name: string): void {
  if (channels !== 3) throw new Error(`${name}: the image has ${channels} channels; expected 1 or 3.`)
}
