/** Which entry of a table each pair of tokens has: the relative positions of BEiT. */

type Grid = readonly [rows: number, columns: number]

/** Entries of a table: every offset of two patches, and three for the pairs that the class token is of. */
export const numRelativePositions = ([rows, columns]: Grid): number => (2 * rows - 1) * (2 * columns - 1) + 3

const known = new Map<string, Int32Array>()

/**
 * For each pair of tokens, the class token first, its entry: that of the offset from patch j to patch i, row by row; then
 * those of class to patch, patch to class, and class to class. Source: BEiT's code, as transformers has it.
 *
 * @returns [(1 + N)²], the same array each time
 */
export function relativePositionIndex(grid: Grid): Int32Array {
  const key = grid.join()
  const found = known.get(key)
  if (found) return found
  const [rows, columns] = grid
  const tokens = 1 + rows * columns
  const last = numRelativePositions(grid)
  const index = new Int32Array(tokens * tokens)
  for (let i = 0; i < tokens; i++) for (let j = 0; j < tokens; j++) index[i * tokens + j] = entryOf(i, j, grid, last)
  known.set(key, index)
  return index
}

function entryOf(i: number, j: number, [rows, columns]: Grid, last: number): number {
  if (i === 0) return j === 0 ? last - 1 : last - 3
  if (j === 0) return last - 2
  const [y, x] = [Math.floor((i - 1) / columns), (i - 1) % columns]
  const [otherY, otherX] = [Math.floor((j - 1) / columns), (j - 1) % columns]
  return (y - otherY + rows - 1) * (2 * columns - 1) + (x - otherX + columns - 1)
}
