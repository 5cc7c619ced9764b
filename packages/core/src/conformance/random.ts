/** The counter-based random function once more, in exact integers: a twin to check the others against. */

const modulus = 2n ** 32n

function mix(value: bigint): bigint {
  let x = value % modulus
  x = ((x ^ (x >> 16n)) * 0x7feb352dn) % modulus
  x = ((x ^ (x >> 15n)) * 0x846ca68bn) % modulus
  return x ^ (x >> 16n)
}

/** The 32 bits of element `index` of stream `seed`. */
export function bits(seed: number, index: number): number {
  const seedBits = mix((BigInt(seed) % modulus) ^ 0x85ebca6bn)
  const indexBits = mix(((BigInt(index) % modulus) * 0x9e3779b1n + 0x7f4a7c15n) % modulus)
  return Number(mix((seedBits + indexBits) % modulus))
}

/** Multiplier of inverted dropout for element `index` of stream `seed`. */
export function keep(seed: number, index: number, probability: number): number {
  return probability === 0 || bits(seed, index) >= Math.floor(probability * 2 ** 32) ? 1 / (1 - probability) : 0
}
