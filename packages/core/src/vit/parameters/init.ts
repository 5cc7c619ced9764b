/** The initial values of a fresh model's parameters, as the article's (and Hugging Face's) `_init_weights`. */

import { deriveSeed, normalStream } from '../../tape/random.ts'

export interface InitOptions {
  /** Standard deviation of the truncated normal. HF's `initializer_range`. */
  initializerRange: number
  /** Equal seeds give equal models, on every backend. */
  seed: number
}

/**
 * Values of a parameter: linear and patch weights, class token and position embeddings from a truncated normal;
 * layer-norm weights one; biases and the mask token zero. They do not depend on those of others.
 *
 * @param index of the parameter in its model
 */
export function initialValue(
  name: string,
  size: number,
  { initializerRange, seed, index }: InitOptions & { index: number },
): Float32Array {
  if (name.endsWith('.bias') || name.endsWith('mask_token')) return new Float32Array(size)
  if (/layernorm[^.]*\.weight$/.test(name)) return new Float32Array(size).fill(1)
  return truncatedNormal(size, initializerRange, deriveSeed(seed, index))
}

/** Normal numbers, drawn again beyond ±2: the absolute bounds of torch.nn.init.trunc_normal_. */
function truncatedNormal(size: number, deviation: number, seed: number): Float32Array {
  const next = normalStream(seed)
  const values = new Float32Array(size)
  for (let i = 0; i < size; i++) {
    let value = next() * deviation
    while (Math.abs(value) > 2) value = next() * deviation
    values[i] = value
  }
  return values
}
