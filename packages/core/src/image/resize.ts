/**
 * Resizes images exactly as PIL does, bit for bit: `resizeImage(image, [height, width], { interpolation })`.
 *
 * Models are trained on pixels that PIL made. Like PIL's, the filter widens when an image shrinks (antialiasing), works
 * along rows and then along columns, in fixed point, and rounds to bytes after each (Pillow, Resample.c). Every channel
 * is resized by itself; an image with alpha is converted to RGB first, as models want it.
 */

import { isInteger } from '../check.ts'
import { checkImage, type RawImage } from './raw-image.ts'

/** PIL's filters: the nearest pixel, or a mean under a window of growing reach. */
export type Interpolation = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos'

/** In the order of PIL's numbers, which files of image processors hold. */
export const interpolations: readonly Interpolation[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']

/** Settings of `resizeImage`. */
export interface ResizeOptions {
  /** Filter, as in PIL. @default 'bilinear' */
  interpolation?: Interpolation
}

interface Filter {
  support: number
  weight: (distance: number) => number
}

/** For each output position: where its inputs begin, how many there are, and their weights in 22-bit fixed point. */
interface Taps {
  first: Int32Array
  count: Int32Array
  weights: Int32Array
  /** Largest number of weights. */
  stride: number
}

const PRECISION = 22 // bits: what 32 leave when 8 are the pixel's and 2 are kept for overshoot

const filters: Record<Exclude<Interpolation, 'nearest'>, Filter> = {
  box: { support: 0.5, weight: distance => (distance > -0.5 && distance <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: distance => Math.max(0, 1 - Math.abs(distance)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: lanczos },
}

/**
 * PIL's Image.resize((width, height), resample).
 *
 * @param image any number of channels
 * @param size [height, width] wanted
 * @returns a new image
 * @throws when a size is not a positive whole number, or the data are not height · width · channels bytes
 */
export function resizeImage(
  image: RawImage,
  size: readonly [height: number, width: number],
  { interpolation = 'bilinear' }: ResizeOptions = {},
): RawImage {
  checkImage(image)
  if (!interpolations.includes(interpolation))
    throw new Error(
      `resizeImage: interpolation is '${interpolation}'; expected ${interpolations.map(name => `'${name}'`).join(', ')}.`,
    )
  for (const length of size)
    if (!isInteger(length, 1))
      throw new Error(`resizeImage: size is [${size}]; expected positive whole numbers, [height, width].`)
  const [height, width] = size
  if (interpolation === 'nearest') return nearest(image, height, width)
  const filter = filters[interpolation]
  const toWidth = (from: RawImage): RawImage =>
    width === from.width ? from : alongRows(from, width, tapsFor(from.width, width, filter))
  const toHeight = (from: RawImage): RawImage =>
    height === from.height ? from : alongColumns(from, height, tapsFor(from.height, height, filter))
  // PIL turns the order round for a very tall image that shrinks; the bytes between the passes depend on it.
  const columnsFirst = image.height > image.width * 100 && height < image.height
  const resized = columnsFirst ? toWidth(toHeight(image)) : toHeight(toWidth(image))
  return resized === image ? { ...image, data: image.data.slice() } : resized
}

/** Beyond so many pixels a long thin image would be made into one that no memory holds. */
const mostPixels = 2 ** 26

/**
 * The size that gives an image's shorter side the length and keeps its proportions (torchvision's Resize of one number,
 * transformers' shortest_edge).
 *
 * @param maxSize limit of the longer side; where it would be longer it is made so long, and the shorter side shorter
 * @throws when that has more than 2^26 pixels
 */
export function shortestEdgeSize(
  { width, height }: Pick<RawImage, 'width' | 'height'>,
  length: number,
  maxSize: number = Infinity,
): readonly [height: number, width: number] {
  let short = length
  let long = Math.trunc((length * Math.max(width, height)) / Math.min(width, height))
  if (long > maxSize) [short, long] = [Math.trunc((maxSize * short) / long), maxSize]
  if (short * long > mostPixels)
    throw new Error(
      `An image of ${width}×${height} pixels with its shorter side made ${length} would have ${short * long} pixels; expected at most ${mostPixels}, so a less narrow image.`,
    )
  return width <= height ? [long, short] : [short, long]
}

function nearest(image: RawImage, height: number, width: number): RawImage {
  const { channels } = image
  const data = new Uint8Array(height * width * channels)
  const columns = nearestPositions(image.width, width)
  let out = 0
  for (const row of nearestPositions(image.height, height))
    for (const column of columns) {
      const source = (row * image.width + column) * channels
      for (let c = 0; c < channels; c++) data[out++] = image.data[source + c] as number
    }
  return { data, width, height, channels }
}

/** The input under each output's centre. PIL sums up steps, and where a centre is on an edge their rounding decides. */
function nearestPositions(oldSize: number, size: number): Int32Array {
  const step = oldSize / size
  const positions = new Int32Array(size)
  for (let i = 0, position = step * 0.5; i < size; i++, position += step) positions[i] = position
  return positions
}

function alongRows({ data: source, width: oldWidth, height, channels }: RawImage, width: number, taps: Taps): RawImage {
  const { first, count, weights, stride } = taps
  const data = new Uint8Array(height * width * channels)
  for (let y = 0, out = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const start = (y * oldWidth + (first[x] as number)) * channels
      const n = count[x] as number
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (PRECISION - 1)
        for (let k = 0; k < n; k++)
          sum += (source[start + k * channels + c] as number) * (weights[x * stride + k] as number)
        data[out++] = toByte(sum)
      }
    }
  return { data, width, height, channels }
}

function alongColumns({ data: source, width, channels }: RawImage, height: number, taps: Taps): RawImage {
  const { first, count, weights, stride } = taps
  const rowLength = width * channels
  const data = new Uint8Array(height * rowLength)
  for (let y = 0, out = 0; y < height; y++) {
    const start = (first[y] as number) * rowLength
    const n = count[y] as number
    for (let i = 0; i < rowLength; i++) {
      let sum = 1 << (PRECISION - 1)
      for (let k = 0; k < n; k++)
        sum += (source[start + k * rowLength + i] as number) * (weights[y * stride + k] as number)
      data[out++] = toByte(sum)
    }
  }
  return { data, width, height, channels }
}

const toByte = (sum: number): number => Math.min(255, Math.max(0, sum >> PRECISION))

function tapsFor(oldSize: number, size: number, { support, weight }: Filter): Taps {
  const scale = oldSize / size
  const widened = Math.max(scale, 1)
  const narrowed = 1 / widened // PIL multiplies by it: a division rounds otherwise, and shows in a byte now and then
  const reach = support * widened
  const stride = Math.ceil(reach) * 2 + 1
  const taps: Taps = {
    first: new Int32Array(size),
    count: new Int32Array(size),
    weights: new Int32Array(size * stride),
    stride,
  }
  for (let i = 0; i < size; i++) {
    const center = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(center - reach + 0.5))
    const count = Math.min(oldSize, Math.trunc(center + reach + 0.5)) - first
    const exact = Array.from({ length: count }, (_, k) => weight((first + k - center + 0.5) * narrowed))
    const total = exact.reduce((sum, value) => sum + value, 0)
    taps.first[i] = first
    taps.count[i] = count
    exact.forEach((value, k) => {
      const normalised = (total === 0 ? value : value / total) * (1 << PRECISION)
      taps.weights[i * stride + k] = Math.trunc(normalised + (normalised < 0 ? -0.5 : 0.5))
    })
  }
  return taps
}

/** Keys' cubic with a = −0.5. */
function cubic(distance: number): number {
  const a = -0.5
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

function sinc(x: number): number {
  const angle = x * Math.PI
  return x === 0 ? 1 : Math.sin(angle) / angle
}

/** A sinc under a Hamming window, whose two numbers PIL has in single precision. */
function hamming(distance: number): number {
  const x = Math.abs(distance)
  if (x === 0) return 1
  return x < 1 ? sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI)) : 0
}

/** A sinc under the middle of another, three times as wide. */
function lanczos(distance: number): number {
  return distance >= -3 && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0
}
