/** The least and the greatest of numbers whose count a user decides: spread as arguments, many of them overflow the stack. */

/** @param start what is returned unless a value is greater */
export function greatest(values: Iterable<number>, start: number = Number.NEGATIVE_INFINITY): number {
  let most = start
  for (const value of values) most = Math.max(most, value)
  return most
}

export function least(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY
  for (const value of values) least = Math.min(least, value)
  return least
}

/** Widths of a table's columns, in characters. */
export const columnWidths = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, column) =>
    greatest(
      rows.map(row => row[column]?.length ?? 0),
      0,
    ),
  )
