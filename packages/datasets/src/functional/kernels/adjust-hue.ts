/**
 * Hue adjusted as PIL and torchvision do: RGB → HSV in bytes → hue moved around the circle of 256 → RGB.
 *
 * All that depends on a few bytes alone, and so every division, is in tables, which are made when the first image comes.
 */
import type { ImageKernels } from '@vitral/core/image'

const { fround } = Math

interface HueTables {
  /** Hue's byte, by the order of the channels, (largest − least), (largest − middle): [6, 256, 256]. */
  hues: Uint8Array
  /** Saturation's byte, divided by 255, by the largest channel and (largest − least): [256, 256]. */
  saturations: Float32Array
  /** Place of each byte of hue within its sixth of the wheel, counted from the end in the even sixths. */
  parts: Float64Array
  /** For each byte of hue: which channel becomes largest, middle and least; and whether the sixth is even. */
  places: Uint8Array
}

let tables: HueTables | undefined

export const adjustHue: ImageKernels['adjustHue'] = (_pixels, source, shift, output) => {
  tables ??= makeTables()
  const { hues, saturations, parts, places } = tables
  for (let i = 0; i < output.length; i += 3) {
    const r = source[i] as number
    const g = source[i + 1] as number
    const b = source[i + 2] as number
    let order = 0 // of the wheel's sixths, the one the colour is in
    let largest = r
    let middle = g
    let least = b
    if (r >= g) {
      if (g < b) {
        least = g
        middle = b
        order = 5
        if (r < b) {
          largest = b
          middle = r
          order = 4
        }
      }
    } else {
      largest = g
      middle = r
      order = 1
      if (b > r) {
        middle = b
        least = r
        order = 2
        if (b > g) {
          largest = b
          middle = g
          order = 3
        }
      }
    }
    const range = largest - least
    const saturation = saturations[(largest << 8) | range] as number
    if (saturation === 0) {
      output[i] = largest
      output[i + 1] = largest
      output[i + 2] = largest
      continue
    }
    const hue = ((hues[(order << 16) | (range << 8) | (largest - middle)] as number) + shift) & 255
    const place = hue << 2
    const product = saturation * (parts[hue] as number)
    const share = (places[place + 3] as number) === 0 ? fround(product) : product // as PIL has it
    output[i + (places[place] as number)] = largest
    output[i + (places[place + 1] as number)] = largest * (1 - share) + 0.5
    output[i + (places[place + 2] as number)] = largest * (1 - saturation) + 0.5
  }
}

/** Which channel is largest, middle and least in each sixth of the wheel, from red to yellow on. */
const orders = [
  [0, 1, 2],
  [1, 0, 2],
  [1, 2, 0],
  [2, 1, 0],
  [2, 0, 1],
  [0, 2, 1],
] as const

function makeTables(): HueTables {
  const hues = new Uint8Array(6 << 16)
  for (let range = 1; range < 256; range++)
    for (let distance = 0; distance <= range; distance++) {
      const toMiddle = fround(distance / range)
      for (let order = 0; order < 6; order++) hues[(order << 16) | (range << 8) | distance] = hueByte(order, toMiddle)
    }
  const saturations = new Float32Array(1 << 16)
  for (let largest = 1; largest < 256; largest++)
    for (let range = 0; range <= largest; range++)
      saturations[(largest << 8) | range] = Math.trunc(fround(range / largest) * 255) / 255
  const parts = new Float64Array(256)
  const places = new Uint8Array(256 * 4)
  for (let hue = 0; hue < 256; hue++) {
    const sixths = (hue * 6) / 255
    const sixth = Math.floor(sixths)
    const part = fround(sixths - sixth)
    const even = sixth % 2 === 0
    parts[hue] = even ? 1 - part : part
    places.set([...(orders[sixth % 6] as readonly number[]), even ? 1 : 0], hue * 4)
  }
  return { hues, saturations, parts, places }
}

/**
 * The angle in bytes: that of the largest channel's own colour, a sixth on towards the middle one, less what lacks of it.
 *
 * @param toMiddle (largest − middle) / (largest − least), in single precision
 */
function hueByte(order: number, toMiddle: number): number {
  const own = 2 * (orders[order]?.[0] as number)
  const sixths = order % 2 === 0 ? own + 1 - toMiddle : own + toMiddle - 1
  const turns = fround(sixths) / 6 + 1
  return Math.trunc(fround(turns - Math.floor(turns)) * 255)
}
