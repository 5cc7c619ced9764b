/** Random numbers for transforms and samplers: a stream of draws from core's counter-based bits. */
import { randomBits } from '@vitral/core/image'

/** Stream of random numbers from a seed; equal seeds give equal draws on every machine. */
export class Random {
  readonly #seed: number
  #drawn = 0

  /** A generator whose numbers follow from the seed. @param seed uint32; equal seeds give equal draws. */
  constructor(seed: number) {
    this.#seed = seed
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.#draw()
  }

  /** A whole number in [0, count), each as likely as the others. */
  below(count: number): number {
    return Math.floor(this.#draw() * count)
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.#draw() < probability
  }

  /** The whole numbers from 0 to count − 1 in an order drawn from all orders (Fisher–Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const moved = order[i] as number
      order[i] = order[j] as number
      order[j] = moved
    }
    return order
  }

  #draw(): number {
    return randomBits(this.#seed, this.#drawn++) / 2 ** 32
  }
}
