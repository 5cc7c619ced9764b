/**
 * Sums gradients over processes while the backward pass goes on: small ones are laid into buckets, large ones are summed
 * where they lie, and what is complete is on its way at once. Few messages, most of their time hidden.
 *
 * Source: Li et al. 2020, PyTorch Distributed: Experiences on Accelerating Data Parallel Training, section 3.2.
 */
import type { Collectives } from './collectives.ts'
import { type Bucket, planBuckets } from './plan-buckets.ts'

export interface AddOptions {
  /** This process's sum over earlier micro-batches, to be added first. */
  before?: Float32Array
  /** Whether the sum of a large gradient may be written over its values; they are then not copied. @default false */
  inPlace?: boolean
}

/** The gradients of one set of parameters, step after step. Every process has the same parameters, in the same order. */
export class GradientBuckets {
  readonly #collectives: Collectives
  /** How many numbers each parameter has. */
  readonly #sizes: ReadonlyMap<string, number>
  readonly #bucketBytes: number | undefined
  #buckets: Bucket[] = []
  #places = new Map<string, { bucket: Bucket; begin: number; end: number }>()
  #sent: Promise<void>[] = []
  /** In the order of arrival in this step. */
  readonly #arrived = new Set<string>()
  #isOrderKnown = false

  /**
   * @param sizes in the order of the forward pass, so that the first plan is nearly right
   * @param bucketBytes see `planBuckets`
   */
  constructor(collectives: Collectives, sizes: ReadonlyMap<string, number>, bucketBytes?: number) {
    this.#collectives = collectives
    this.#sizes = sizes
    this.#bucketBytes = bucketBytes
    this.#plan([...sizes.keys()].reverse())
  }

  /** Whose gradients were added in this step. */
  get arrived(): ReadonlySet<string> {
    return this.#arrived
  }

  /**
   * Adds this process's part of a gradient, and begins to send what is complete with it.
   *
   * @throws naming a parameter that is not known, or comes twice in a step
   */
  add(name: string, values: Float32Array, { before, inPlace = false }: AddOptions = {}): void {
    const place = this.#places.get(name)
    if (!place) throw new Error(`There is a gradient for '${name}', which is none of the parameters that are trained.`)
    if (this.#arrived.has(name)) throw new Error(`The gradient of '${name}' was added twice in one step.`)
    this.#arrived.add(name)
    const { bucket, begin, end } = place
    let sums = values
    if (bucket.isLarge && inPlace) bucket.values = values
    else {
      sums = valuesOf(bucket).subarray(begin, end)
      sums.set(values)
    }
    if (before) for (let i = 0; i < sums.length; i++) sums[i] = (before[i] as number) + (sums[i] as number)
    bucket.missing--
    this.#sendComplete()
  }

  /**
   * Ends the step: what was not sent is sent at once, a gradient that this process has not added as 0.
   *
   * @returns the sums over all processes, in the memory of the buckets or that was given: they hold until the next step
   */
  async finish(): Promise<ReadonlyMap<string, Float32Array>> {
    for (const [name, { bucket, begin, end }] of this.#places) {
      if (this.#arrived.has(name)) continue
      valuesOf(bucket).fill(0, begin, end)
      bucket.missing--
    }
    this.#sendComplete()
    await Promise.all(this.#sent)
    const sums = new Map<string, Float32Array>()
    for (const [name, { bucket, begin, end }] of this.#places)
      sums.set(name, bucket.isLarge ? valuesOf(bucket) : valuesOf(bucket).subarray(begin, end))
    await this.#begin()
    return sums
  }

  /** Makes ready for the next step; after the first one the buckets follow the order in which gradients really come. */
  async #begin(): Promise<void> {
    if (!this.#isOrderKnown) this.#plan(await this.#orderOfFirstRank())
    this.#isOrderKnown = true
    for (const bucket of this.#buckets) {
      bucket.missing = bucket.names.length
      if (bucket.isLarge) delete bucket.values // of this step's gradient
    }
    this.#sent = []
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
    this.#buckets = planBuckets(order, this.#sizes, this.#bucketBytes)
    this.#places = new Map()
    for (const bucket of this.#buckets) {
      let begin = 0
      for (const name of bucket.names) {
        const end = begin + (this.#sizes.get(name) as number)
        this.#places.set(name, { bucket, begin, end })
        begin = end
      }
    }
  }

  /** In the order of the plan, whichever is complete first: every process must begin the same sums in the same order. */
  #sendComplete(): void {
    for (let next = this.#buckets[this.#sent.length]; next?.missing === 0; next = this.#buckets[this.#sent.length]) {
      const sent = this.#collectives.allReduce(valuesOf(next))
      sent.catch(() => {}) // told by finish
      this.#sent.push(sent)
    }
  }
}

/** Memory for a bucket comes when it is first needed; a large gradient brings its own. */
function valuesOf(bucket: Bucket): Float32Array {
  bucket.values ??= new Float32Array(bucket.size)
  return bucket.values
}
