/** Checks of arguments, each with an error that names the function and the argument. */
import { checkInteger } from '@vitral/core/check'
import { checkImage, type RawImage } from '@vitral/core/image'
import { listChoices } from '@vitral/core/text'

/** Refuses any of the values that is not a whole number of at least `least`. */
export function checkIntegers(name: string, values: Record<string, number>, least?: number): void {
  for (const [argument, value] of Object.entries(values)) checkInteger(`${name}: ${argument}`, value, least)
}

/** Refuses what is no size of an image: one length, or [height, width]. */
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
  const choices = listChoices(known.map(each => `'${each}'`))
  throw new Error(`${name}: ${argument} is '${value}'; expected ${choices}.`)
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
