/** Where the first value is that is no finite number, or -1; of an image in float32, far faster than findIndex. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
