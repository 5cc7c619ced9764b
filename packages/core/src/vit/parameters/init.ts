/** The initial values of a fresh model's parameters, as the article's (and Hugging Face's) `_init_weights`. */

import { deriveSeed, normalStream } from '../../tape/random.ts'

export interface InitOptions {
  /** Standard deviation of the truncated normal. HF's `initializer_range`. */
  initializerRange: number
  /** Value of the layer scale's factors. @default 1 */
  layerScaleInit?: number | null
  /** Equal seeds give equal models, on every backend. */
  seed: number
}

/**
 * Values of a parameter: linear and patch weights, class token and position embeddings from a truncated normal;
 * layer-norm weights one; biases, tables of biases, registers and the mask token zero. They do not depend on those of others.
 *
 * @param index of the parameter in its model
 */
export function initialValue(
  name: string,
  size: number,
  { initializerRange, layerScaleInit, seed, index }: InitOptions & { index: number },
): Float32Array {
  if (/(\.bias|mask_token|register_tokens|bias_table)$/.test(name)) return new Float32Array(size)
  if (/(layernorm[^.]*|_norm)\.weight$/.test(name)) return new Float32Array(size).fill(1)
  if (name.endsWith('.lambda1')) return new Float32Array(size).fill(layerScaleInit ?? 1)
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
