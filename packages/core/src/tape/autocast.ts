/** Mixed precision: which ops compute in half precision, and when. */

/** What the factors of products are rounded to; sums are float32 always. */
export type ComputeDtype = 'float32' | 'bfloat16'

export interface AutocastOptions {
  /** @default 'bfloat16' */
  dtype?: 'bfloat16'
  /** @default true */
  enabled?: boolean
}

let current: ComputeDtype = 'float32'

/** The precision that an op of the half class takes now. */
export const computeDtype = (): ComputeDtype => current

/**
 * Runs `f`; in it, ops of the half class round the factors of their products to bfloat16: the patch embedding, the
 * projections of attention, its scores and sums, and the other linear layers. Everything else stays float32: layer norm, softmax, GELU, the
 * loss, and the parameters themselves. A gradient takes the precision of its forward op, wherever it is computed, so
 * that only the forward pass need be inside.
 *
 * Counterpart of `torch.autocast`. bfloat16 has float32's range, so that no loss scaling is needed; its products have
 * 8 significant bits. A backend whose kernels do not know bfloat16 (wasm, cpu, webgpu) computes in float32.
 *
 * @param f must be synchronous: the mode ends when it returns
 * @throws when the dtype is not bfloat16, or `f` returns a promise
 * @example
 * const { logits } = autocast({ dtype: 'bfloat16' }, () => model.forward(pixelValues))
 */
export function autocast<T>({ dtype = 'bfloat16', enabled = true }: AutocastOptions, f: () => T): T {
  if (dtype !== 'bfloat16') throw new Error(`autocast was given dtype '${dtype}'; it knows 'bfloat16'.`)
  const before = current
  current = enabled ? dtype : 'float32'
  try {
    const result = f()
    if (result instanceof Promise)
      throw new Error('autocast was given an asynchronous function; its mode would end before the work does.')
    return result
  } finally {
    current = before
  }
}
