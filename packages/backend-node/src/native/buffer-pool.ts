/** Memory of tensors, reused by size: a training step asks for the same sizes as the one before it. */
import type { Addon } from './addon.ts'

/** Below this a plain array is cheaper than a place in the pool. */
const SMALLEST = 1024
const FLOOR = 256 * 2 ** 20

/** Who owns what: an array that was acquired belongs to the caller until it is released, and to nobody else after. */
export class BufferPool {
  readonly #system: Pick<Addon, 'allocate' | 'discard'>
  /** Free arrays by length, in the order in which lengths were last used. */
  readonly #free = new Map<number, Float32Array[]>()
  #liveBytes = 0
  #peakBytes = 0
  #freeBytes = 0

  constructor(system: Pick<Addon, 'allocate' | 'discard'>) {
    this.#system = system
  }

  get liveBytes(): number {
    return this.#liveBytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** An array of `length` floats, its contents undefined. */
  acquire(length: number): Float32Array {
    if (length < SMALLEST) return new Float32Array(length)
    const bytes = length * 4
    this.#liveBytes += bytes
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes)
    const free = this.#free.get(length)?.pop()
    if (!free) return new Float32Array(this.#system.allocate(bytes), 0, length)
    this.#freeBytes -= bytes
    return free
  }

  /** Gives an array back. Its owner must not touch it again. */
  release(array: Float32Array): void {
    const { length, byteLength } = array
    if (length < SMALLEST) return
    this.#liveBytes -= byteLength
    this.#freeBytes += byteLength
    const sameLength = this.#free.get(length) ?? []
    sameLength.push(array)
    this.#free.delete(length)
    this.#free.set(length, sameLength)
    this.#trim()
  }

  /**
   * Lets go of the lengths that were not used for longest, once twice as much is free as was ever in use. Just as much
   * would be too little: the lengths of a step are not all in use at its peak, and what is let go has to be cleared by
   * the system when it is asked for again, which costs a step more than its arithmetic.
   */
  #trim(): void {
    const limit = Math.max(FLOOR, 2 * this.#peakBytes)
    for (const [length, arrays] of this.#free) {
      if (this.#freeBytes <= limit) return
      for (const { buffer } of arrays) this.#system.discard(buffer as ArrayBuffer)
      this.#freeBytes -= arrays.length * length * 4
      this.#free.delete(length)
    }
  }
}
