/** Whole numbers: the one check of an argument that must be one. No tensors. */

/** Whether the value is a whole number from `least` to `most`. */
export const isInteger = (value: unknown, least: number = -Infinity, most: number = Infinity): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most

/**
 * Requires a whole number from `least` to `most`.
 *
 * @param owner whose argument it is, such as the function
 * @throws naming owner and argument, the value and what was expected
 * @example
 * checkInteger('selectToken', 'index', 4, 0, 3) // Error: selectToken: index is 4; expected a whole number from 0 to 3.
 */
export function checkInteger(
  owner: string,
  name: string,
  value: unknown,
  least: number = -Infinity,
  most: number = Infinity,
): asserts value is number {
  if (!isInteger(value, least, most))
    throw new Error(`${owner}: ${name} is ${value}; expected ${wholeNumberText(least, most)}.`)
}

/** Words for a whole number in a range; bounds beyond 2^53, where numbers are not exact, go without saying. */
function wholeNumberText(least: number, most: number): string {
  const bounded = most < Number.MAX_SAFE_INTEGER
  if (bounded) return `a whole number from ${least} to ${most}`
  if (least === 1) return 'a positive whole number'
  return least === -Infinity ? 'a whole number' : `a whole number, ${least} or more`
}
