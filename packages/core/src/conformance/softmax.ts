/** The softmax of one row, in float64, for the cases of losses and of attention. */

/** Probabilities of row b of [B, K] logits, divided by a temperature first. */
export function softmaxRow(logits: Float64Array, b: number, classes: number, temperature = 1): number[] {
  const row = [...logits.subarray(b * classes, (b + 1) * classes)].map(value => value / temperature)
  const largest = row.reduce((most, value) => Math.max(most, value))
  const powers = row.map(value => Math.exp(value - largest))
  const total = powers.reduce((sum, value) => sum + value, 0)
  return powers.map(value => value / total)
}
