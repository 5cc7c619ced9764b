/** What a series of measurements comes down to. */

/** The value that so large a share is not above; the nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** max |a − b|; infinite when the lengths differ or a value is not a number. */
export function maxDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  const differences = a.map((value, i) => Math.abs(value - (b[i] as number)))
  return differences.some(Number.isNaN) ? Number.POSITIVE_INFINITY : differences.reduce((x, y) => Math.max(x, y), 0)
}
