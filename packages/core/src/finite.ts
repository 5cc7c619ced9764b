/** Values that are no finite numbers: damaged weights and overflows, found before anything is made of them. */

/** Where the first value is that is no finite number, or -1; far faster than findIndex, for weights have millions. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}

/**
 * Refuses weights that would make every answer NaN.
 *
 * @param tensors by name
 * @param source the folder or file they come from, for the message
 * @throws naming the first tensor with a value that is NaN or infinite
 */
export function requireFiniteWeights(tensors: Iterable<readonly [name: string, Float32Array]>, source: string): void {
  for (const [name, values] of tensors) {
    const wrong = firstNonFinite(values)
    if (wrong < 0) continue
    throw new Error(
      `${source} holds weights that are no finite numbers; its weights are damaged: value ${wrong} of '${name}' is ${values[wrong]}. Copy or download them again, or take an earlier checkpoint.`,
    )
  }
}
