/** Whole numbers from text; the least and greatest of many numbers. */
import { isInteger } from '@vitral/core/check'

/**
 * Reads a whole number within the limits, both included, from an option or a variable of the environment.
 *
 * @param name what the text is given for
 * @throws saying what the text is and what was expected
 * @example
 * parseInteger('--steps', 'ten', 1) // throws "--steps is 'ten'; expected a whole number of at least 1."
 */
export function parseInteger(name: string, text: string | undefined, least: number, most?: number): number {
  const value = Number(text)
  if (text?.trim() && isInteger(value, least, most)) return value
  const limits = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`
  throw new Error(`${name} is ${text === undefined ? 'not set' : `'${text}'`}; expected a whole number ${limits}.`)
}

/**
 * The greatest of the values, however many there are: spread as arguments of Math.max, many overflow the stack.
 *
 * @param start what is returned unless a value is greater
 */
export function greatest(values: Iterable<number>, start: number = Number.NEGATIVE_INFINITY): number {
  let most = start
  for (const value of values) most = Math.max(most, value)
  return most
}

/** The least of the values, however many there are; Infinity of none. */
export function least(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY
  for (const value of values) least = Math.min(least, value)
  return least
}
