/** Other distributions than the uniform one, from a stream's draws. */
import type { Random } from './random.ts'

/** Fills an array with standard normal numbers: Box–Muller, two from two draws. */
export function fillNormal(random: Random, values: Float32Array): void {
  for (let i = 0; i < values.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform(0, 1))) // never the logarithm of 0
    const angle = 2 * Math.PI * random.uniform(0, 1)
    values[i] = radius * Math.cos(angle)
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle)
  }
}

/** Beta(alpha, alpha): from 0 to 1; mostly near both ends for alpha below 1, near the middle for a large one. */
export function drawBeta(random: Random, alpha: number): number {
  return drawDirichlet(random, alpha, 2)[0] as number
}

/** `count` shares that sum to 1, from the symmetric Dirichlet distribution. */
export function drawDirichlet(random: Random, alpha: number, count: number): number[] {
  const logarithms = Array.from({ length: count }, () => logGamma(random, alpha))
  const largest = logarithms.reduce((most, logarithm) => Math.max(most, logarithm), Number.NEGATIVE_INFINITY)
  const weights = logarithms.map(logarithm => Math.exp(logarithm - largest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map(weight => weight / sum)
}

/** The logarithm of a draw from Gamma(shape, 1): for a small shape the draw itself is often too small for a number. */
function logGamma(random: Random, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform(0, 1)) / shape
  // Marsaglia and Tsang, A simple method for generating gamma variables (2000).
  const d = shape - 1 / 3
  const pair = new Float32Array(2)
  for (;;) {
    fillNormal(random, pair)
    for (const normal of pair) {
      const root = 1 + normal / Math.sqrt(9 * d)
      if (root <= 0) continue
      const cube = root ** 3
      const bound = 0.5 * normal ** 2 + d * (1 - cube + Math.log(cube))
      if (Math.log(1 - random.uniform(0, 1)) < bound) return Math.log(d * cube)
    }
  }
}
