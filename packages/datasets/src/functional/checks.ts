/** Checks of arguments, each with an error that names the function and the argument. */
import { checkImage, type RawImage } from '@vitral/core/image'

export function checkWhole(name: string, values: Record<string, number>): void {
  for (const [argument, value] of Object.entries(values))
    if (!Number.isInteger(value))
      throw new Error(`${name}: ${argument} is ${value}; expected a whole number of pixels.`)
}

export function checkSize(name: string, values: Record<string, number>, least = 1): void {
  checkWhole(name, values)
  for (const [argument, value] of Object.entries(values))
    if (value < least) throw new Error(`${name}: ${argument} is ${value}; expected at least ${least}.`)
}

/** Of an image to be made: its length, of both sides or of one, or [height, width]. */
export function checkPixels(name: string, size: number | readonly number[]): void {
  const lengths = typeof size === 'number' ? [size, size] : Array.isArray(size) ? size : []
  if (lengths.length === 2 && lengths.every(length => Number.isInteger(length) && length >= 1)) return
  const given = typeof size === 'number' ? size : JSON.stringify(size)
  throw new Error(`${name}: size is ${given}; expected a whole number of pixels, at least 1, or [height, width].`)
}

export function checkFinite(name: string, values: Record<string, number>): void {
  for (const [argument, value] of Object.entries(values))
    if (!Number.isFinite(value)) throw new Error(`${name}: ${argument} is ${value}; expected a finite number.`)
}

export function checkOneOf(name: string, argument: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return
  const names = known.map(each => `'${each}'`)
  throw new Error(`${name}: ${argument} is '${value}'; expected ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`)
}

export function checkFactor(name: string, factor: number): void {
  if (!(factor >= 0 && factor < Infinity))
    throw new Error(`${name}: factor is ${factor}; expected a number of at least 0.`)
}

export function checkChannels(name: string, image: RawImage): void {
  checkImage(image)
  const { channels } = image
  if (channels !== 1 && channels !== 3) throw new Error(`${name}: the image has ${channels} channels; expected 1 or 3.`)
}
