/**
 * Random bits as a pure function of (seed, index), so that dropout is the same on every backend, thread and rank.
 * The native kernels have the same function in backend-node/native/runtime/random.h; conformance checks every backend's
 * masks, bit by bit.
 */

/** Finaliser of a 32-bit hash: every input bit reaches every output bit. uint32 → uint32. */
function mix(value: number): number {
  let x = value >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * 32 random bits for element `index` of the stream `seed`.
 *
 * @param seed uint32; larger or negative integers are taken modulo 2³².
 * @param index uint32, likewise.
 * @returns an integer in [0, 2³²).
 */
export function randomBits(seed: number, index: number): number {
  return mix(mix(seed ^ 0x85ebca6b) + mix(Math.imul(index, 0x9e3779b1) + 0x7f4a7c15))
}

/** A seed for one place of use (a layer, a step, an epoch), independent of its neighbours': uint32. */
export function deriveSeed(seed: number, ...path: number[]): number {
  return path.reduce((parent, child) => randomBits(parent, child), seed >>> 0)
}

/**
 * Multipliers of inverted dropout: 0 with `probability`, else 1 / (1 − probability).
 *
 * @returns Float32Array of `size` elements; element i depends on (seed, i) alone.
 */
export function keepMask(seed: number, probability: number, size: number): Float32Array {
  const mask = new Float32Array(size)
  const threshold = Math.floor(probability * 2 ** 32)
  const kept = 1 / (1 - probability)
  for (let i = 0; i < size; i++) mask[i] = randomBits(seed, i) >= threshold ? kept : 0
  return mask
}

/** Standard normal numbers from a stream: Box–Muller on consecutive pairs of bits. */
export function normalStream(seed: number): () => number {
  let index = 0
  const uniform = (): number => (randomBits(seed, index++) + 0.5) / 2 ** 32 // never 0, so its logarithm is finite
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}
