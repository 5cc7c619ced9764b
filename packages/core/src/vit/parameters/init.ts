/** The initial values of a fresh model's parameters, as the article's (and Hugging Face's) `_init_weights`. */

import { elementsOf } from '../../sizes.ts'
import { deriveSeed, normalStream } from '../../tape/random.ts'
import type { ParameterShapes } from './parameters.ts'

export interface InitOptions {
  /** Standard deviation of the truncated normal. HF's `initializer_range`. */
  initializerRange: number
  /** Equal seeds give equal models, on every backend. */
  seed: number
}

/**
 * Values for every parameter that `known` does not have: linear and patch weights, class token and position embeddings
 * from a truncated normal; layer-norm weights one; biases and the mask token zero. A parameter's values do not depend
 * on which others are known.
 */
export function initialValues(
  shapes: ParameterShapes,
  known: ReadonlyMap<string, Float32Array>,
  { initializerRange, seed }: InitOptions,
): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>()
  let index = 0
  for (const [name, shape] of shapes) {
    const size = elementsOf(shape)
    const own = deriveSeed(seed, index++)
    values.set(name, known.get(name) ?? initialValue(name, size, initializerRange, own))
  }
  return values
}

function initialValue(name: string, size: number, deviation: number, seed: number): Float32Array {
  if (name.endsWith('.bias') || name.endsWith('mask_token')) return new Float32Array(size)
  if (/layernorm[^.]*\.weight$/.test(name)) return new Float32Array(size).fill(1)
  return truncatedNormal(size, deviation, seed)
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
