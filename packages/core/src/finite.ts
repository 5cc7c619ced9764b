/** Values that are no finite numbers: damaged weights and overflows, found before anything is made of them. */

/** Where the first value is that is no finite number, or -1; far faster than findIndex, for weights have millions. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
