/** Gaussian blur as torchvision's: along columns and rows by themselves, whose product its square of weights is. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { reflect } from './pad.ts'

/** One number for both, or one along rows and one along columns. */
export type Both = number | readonly [x: number, y: number]

/** Settings of `gaussianBlur`. */
export interface GaussianBlurOptions {
  /** Standard deviation in pixels. @default 0.15 · kernelSize + 0.35 */
  sigma?: Both
}

/**
 * The mean of the pixels around, by a bell of weights; the image is mirrored at its outermost pixels.
 *
 * @param kernelSize how many pixels the bell is wide: odd, less than twice the image's length
 */
export function gaussianBlur(image: RawImage, kernelSize: Both, { sigma }: GaussianBlurOptions = {}): RawImage {
  const [sizeX, sizeY] = both(kernelSize)
  const [sigmaX, sigmaY] = both(sigma ?? [sizeX * 0.15 + 0.35, sizeY * 0.15 + 0.35])
  checkKernel('gaussianBlur', kernelSize, sigma)
  checkImage(image)
  const { data: source, width, height, channels } = image
  if (sizeX >= 2 * width || sizeY >= 2 * height)
    throw new Error(
      `gaussianBlur: kernelSize is ${JSON.stringify(kernelSize)}; expected less than twice the image's ${width}×${height} pixels.`,
    )
  const [alongX, alongY] = [halfBell(sizeX, sigmaX), halfBell(sizeY, sigmaY)]
  const rowLength = width * channels
  const border = (alongX.length - 1) * channels
  // Row by row, as numbers of one kind: what is between the passes stays in the cache, and the loops stay simple.
  const window = new Float64Array(rowLength * sizeY)
  const load = (y: number): void => {
    if (y < height) window.set(source.subarray(y * rowLength, (y + 1) * rowLength), (y % sizeY) * rowLength)
  }
  const blurred = new Float64Array(rowLength)
  const mirrored = new Float64Array(rowLength + 2 * border)
  const data = new Uint8Array(source.length)
  for (let y = 0; y < alongY.length - 1; y++) load(y)
  for (let y = 0; y < height; y++) {
    load(y + alongY.length - 1)
    weigh(window, distance => (reflect(y + distance, height) % sizeY) * rowLength, alongY, blurred)
    mirrorEnds(blurred, mirrored, channels)
    weigh(mirrored, distance => border + distance * channels, alongX, blurred)
    for (let i = 0, out = y * rowLength; i < rowLength; i++) data[out++] = (blurred[i] as number) + 0.5
  }
  return { ...image, data }
}

/** @throws when a size is not odd or a sigma not above 0. */
export function checkKernel(name: string, kernelSize: Both, sigma?: Both): void {
  if (both(kernelSize).some(size => !Number.isInteger(size) || size < 1 || size % 2 === 0))
    throw new Error(`${name}: kernelSize is ${JSON.stringify(kernelSize)}; expected odd numbers of at least 1.`)
  if (sigma !== undefined && both(sigma).some(deviation => !(deviation > 0 && deviation < Infinity)))
    throw new Error(`${name}: sigma is ${JSON.stringify(sigma)}; expected numbers above 0.`)
}

const both = (value: Both): readonly [number, number] => (typeof value === 'number' ? [value, value] : value)

/** Weights from the middle outwards; both sides together have the sum 1. */
function halfBell(size: number, sigma: number): Float64Array {
  const weights = Float64Array.from({ length: (size + 1) / 2 }, (_, x) => Math.exp(-0.5 * (x / sigma) ** 2))
  const sum = weights.reduce((total, weight) => total + 2 * weight, -1)
  return weights.map(weight => weight / sum)
}

/** into[i] = the sum of weights[d] · (source[start(−d) + i] + source[start(d) + i]), the middle taken once. */
function weigh(
  source: Float64Array,
  start: (distance: number) => number,
  weights: Float64Array,
  into: Float64Array,
): void {
  const middle = start(0)
  const weight = weights[0] as number
  for (let i = 0; i < into.length; i++) into[i] = weight * (source[middle + i] as number)
  for (let d = 1; d < weights.length; d++) addPair(source, start(-d), start(d), weights[d] as number, into)
}

function addPair(source: Float64Array, before: number, after: number, weight: number, into: Float64Array): void {
  for (let i = 0; i < into.length; i++)
    into[i] = (into[i] as number) + weight * ((source[before + i] as number) + (source[after + i] as number))
}

/** Copies a row into the middle, and mirrors it into what is left at both ends. */
function mirrorEnds(row: Float64Array, into: Float64Array, channels: number): void {
  const border = (into.length - row.length) / 2
  const width = row.length / channels
  into.set(row, border)
  for (let x = 1; x * channels <= border; x++)
    for (let c = 0; c < channels; c++) {
      into[border - x * channels + c] = row[reflect(-x, width) * channels + c] as number
      into[border + (width - 1 + x) * channels + c] = row[reflect(width - 1 + x, width) * channels + c] as number
    }
}
