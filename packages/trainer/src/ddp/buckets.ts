/**
 * Sums gradients over processes while the backward pass goes on: they are laid into buckets in the order in which they
 * become final, and a full bucket is on its way at once. Few large messages, most of their time hidden.
 *
 * Source: Li et al. 2020, PyTorch Distributed: Experiences on Accelerating Data Parallel Training, section 3.2.
 */
import { tensor, type Variable } from '@tensorflow/tfjs-core'
import type { Gradients } from '../clip-gradients.ts'
import type { Collectives } from './collectives.ts'

export interface BucketOptions {
  /**
   * Largest size of a bucket, unless one parameter is larger.
   *
   * @default 25 MB; of a small model an eighth, so that its sending too begins before the backward pass has ended
   */
  bucketBytes?: number
}

export interface ReducedGradients {
  /** The sums, of every parameter for which some process had one; the caller's to dispose. */
  gradients: Gradients
  /** In how many processes each parameter had a gradient. */
  uses: ReadonlyMap<string, number>
}

/** Where a parameter's gradient lies in its bucket. */
interface Place {
  bucket: Bucket
  /** Among the bucket's parameters. */
  index: number
  begin: number
  end: number
}

interface Bucket {
  names: string[]
  /** All gradients, then for each parameter 1 where this process has a gradient of it. */
  values: Float32Array
  /** Where the second part begins. */
  flags: number
  missing: number
  sent?: Promise<void>
}

const largestBucket = 25 * 2 ** 20
const smallestBucket = 64 * 2 ** 10

/** The gradients of one set of parameters, step after step. Every process has the same parameters, in the same order. */
export class GradientBuckets {
  readonly #collectives: Collectives
  readonly #shapes: ReadonlyMap<string, readonly number[]>
  readonly #sizes: ReadonlyMap<string, number>
  readonly #bucketFloats: number
  #buckets: Bucket[] = []
  #places = new Map<string, Place>()
  /** In the order of arrival in this step. */
  readonly #arrived = new Set<string>()
  #isOrderKnown = false

  /** @param parameters those that train; in the order of the forward pass, so that the first plan is nearly right */
  constructor(
    collectives: Collectives,
    parameters: ReadonlyMap<string, Variable>,
    { bucketBytes }: BucketOptions = {},
  ) {
    this.#collectives = collectives
    this.#shapes = new Map([...parameters].map(([name, { shape }]) => [name, shape]))
    this.#sizes = new Map([...parameters].map(([name, { size }]) => [name, size]))
    const total = [...this.#sizes.values()].reduce((sum, size) => sum + size * Float32Array.BYTES_PER_ELEMENT, 0)
    const bytes = bucketBytes ?? Math.min(largestBucket, Math.max(smallestBucket, total / 8))
    this.#bucketFloats = bytes / Float32Array.BYTES_PER_ELEMENT
    this.#plan([...this.#sizes.keys()].reverse())
  }

  /** Whether this step's gradient of the parameter was added. */
  has(name: string): boolean {
    return this.#arrived.has(name)
  }

  /**
   * Adds this process's part of a gradient, and begins to send what became full with it.
   *
   * @param values of the gradient
   * @param before of this process too, to be added to it: the sum over earlier micro-batches
   * @throws naming a parameter that is not known, or comes twice in a step
   */
  add(name: string, values: ArrayLike<number>, before?: ArrayLike<number>): void {
    const place = this.#places.get(name)
    if (!place) throw new Error(`There is a gradient for '${name}', which is none of the parameters that are trained.`)
    if (this.#arrived.has(name)) throw new Error(`The gradient of '${name}' was added twice in one step.`)
    this.#arrived.add(name)
    const { bucket, index, begin, end } = place
    const sums = bucket.values.subarray(begin, end)
    sums.set(values)
    if (before) for (let i = 0; i < sums.length; i++) sums[i] = (before[i] as number) + (sums[i] as number)
    bucket.values[bucket.flags + index] = 1
    bucket.missing--
    this.#sendFull()
  }

  /** Ends the step: waits for all sums. A gradient that this process has not added is 0. */
  async finish(): Promise<ReducedGradients> {
    for (const [name, { bucket, index, begin, end }] of this.#places) {
      if (this.#arrived.has(name)) continue
      bucket.values.fill(0, begin, end)
      bucket.values[bucket.flags + index] = 0
      bucket.missing--
    }
    this.#sendFull()
    await Promise.all(this.#buckets.map(({ sent }) => sent))
    const uses = new Map<string, number>()
    const gradients: Gradients = {}
    for (const [name, { bucket, index, begin, end }] of this.#places) {
      const used = bucket.values[bucket.flags + index] as number
      uses.set(name, used)
      // Its values stay in the bucket on backends that do not copy; the next step writes there when this one is over.
      if (used > 0) gradients[name] = tensor(bucket.values.subarray(begin, end), [...(this.#shapes.get(name) ?? [])])
    }
    await this.#begin()
    return { gradients, uses }
  }

  /** Makes ready for the next step; after the first one the buckets follow the order in which gradients really come. */
  async #begin(): Promise<void> {
    if (this.#isOrderKnown) for (const bucket of this.#buckets) reset(bucket)
    else this.#plan(await this.#orderOfFirstRank())
    this.#isOrderKnown = true
    this.#arrived.clear()
  }

  /** Every process must send the same, so that one of them decides. */
  async #orderOfFirstRank(): Promise<string[]> {
    const names = [...this.#sizes.keys()]
    const numbers = new Map(names.map((name, number) => [name, number]))
    const ordered = [...new Set([...this.#arrived, ...names.toReversed()])]
    const order = Uint32Array.from(ordered, name => numbers.get(name) as number)
    await this.#collectives.broadcast(new Uint8Array(order.buffer), 0)
    return Array.from(order, number => names[number] as string)
  }

  #plan(order: readonly string[]): void {
    const groups: string[][] = []
    let filled = Number.POSITIVE_INFINITY
    for (const name of order) {
      const size = this.#sizes.get(name) as number
      if (filled + size > this.#bucketFloats) {
        groups.push([])
        filled = 0
      }
      groups.at(-1)?.push(name)
      filled += size
    }
    this.#places = new Map()
    this.#buckets = groups.map(names => this.#layOut(names))
  }

  #layOut(names: string[]): Bucket {
    const bucket: Bucket = { names, values: new Float32Array(0), flags: 0, missing: names.length }
    for (const [index, name] of names.entries()) {
      const begin = bucket.flags
      bucket.flags += this.#sizes.get(name) as number
      this.#places.set(name, { bucket, index, begin, end: bucket.flags })
    }
    bucket.values = new Float32Array(bucket.flags + names.length)
    return bucket
  }

  /** In the order of the buckets, whichever is full first: every process must begin the same sums in the same order. */
  #sendFull(): void {
    for (const bucket of this.#buckets) {
      if (bucket.missing > 0) return
      if (bucket.sent) continue
      bucket.sent = this.#collectives.allReduce(bucket.values)
      bucket.sent.catch(() => {}) // told by finish
    }
  }
}

function reset(bucket: Bucket): void {
  bucket.missing = bucket.names.length
  delete bucket.sent
}
