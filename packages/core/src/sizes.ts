/** How many elements a shape has, checked: every product of sizes in TypeScript is made here. No tensors. */
import { isInteger } from './check.ts'

/**
 * The product of the sizes, which is 1 of a scalar's empty shape.
 *
 * @throws when a size is no whole number of 0 or more, or the product, without sizes that are 0, is beyond 2^53, from
 * where numbers are no longer exact
 * @example
 * elementsOf([2, 3, 224, 224]) // 301056
 */
export function elementsOf(shape: readonly number[]): number {
  let product = 1
  let empty = false
  for (const size of shape) {
    if (!isInteger(size, 0, Number.MAX_SAFE_INTEGER))
      throw new Error(`The shape [${shape.join(', ')}] has the size ${size}; expected whole numbers of 0 or more.`)
    if (size === 0) empty = true
    else product *= size
  }
  if (!Number.isSafeInteger(product))
    throw new Error(`The shape [${shape.join(', ')}] is too large; expected at most 2^53 elements.`)
  return empty ? 0 : product
}
