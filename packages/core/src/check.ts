/** Checks of arguments, for every package: no tensors, so that a thread may import them without TensorFlow.js. */

/** Whether the value is a whole number within the limits, both included. */
export const isInteger = (value: unknown, least: number = -Infinity, most: number = Infinity): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most

/**
 * Refuses what is not a whole number within the limits, both included.
 *
 * @param name the argument's name, after that of its function where several have one
 * @throws saying what the value is and what was expected
 * @example
 * checkInteger('batchSize', 0, 1) // batchSize is 0; expected a whole number of at least 1.
 */
export function checkInteger(name: string, value: number, least: number = -Infinity, most: number = Infinity): void {
  if (isInteger(value, least, most)) return
  throw new Error(`${name} is ${value}; expected a whole number${limits(least, most)}.`)
}

function limits(least: number, most: number): string {
  if (most < Infinity) return ` from ${least} to ${most}`
  return least > -Infinity ? ` of at least ${least}` : ''
}
