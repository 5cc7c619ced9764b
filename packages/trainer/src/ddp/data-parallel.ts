/**
 * One training step in several processes: each computes the gradients of its share of the batch, and all get those of the
 * whole. Between steps every process has the same parameters, so that nothing else is sent.
 */
import { getBackend, tensor, type Variable } from '@tensorflow/tfjs-core'
import { ownFloats } from '@vitral/core/tape'
import type { Gradients } from '../optimizers/clip-gradients.ts'
import { GradientBuckets } from './buckets.ts'
import type { Collectives } from './collectives.ts'
import { exchange } from './exchange.ts'

/** Where a process's images are in the batch of all processes. */
export interface Share {
  /** Place of its first image. */
  first: number
  /** Images of all processes. */
  total: number
}

/** Options of DataParallel. */
export interface DataParallelOptions {
  /** Largest size of a bucket of small gradients. @default 25 MB, or an eighth of all */
  bucketBytes?: number
}

export interface ReducePart {
  loss?: number
  grads?: Gradients
  before?: Gradients
}

export interface Reduced {
  /** Added up in the order of the ranks; float64. */
  loss: number
  grads: Gradients
  /** Had no gradient in some process with images, but in another. */
  unused: string[]
}

/** torch.nn.parallel.DistributedDataParallel, as a part of `trainStep`. */
export class DataParallel {
  readonly #collectives: Collectives
  readonly #shapes: ReadonlyMap<string, number[]>
  readonly #buckets: GradientBuckets
  /** Gradients of this step whose own memory gets the sum. */
  readonly #inPlace = new Map<string, Float32Array>()
  #processesWithImages = 0
  #isSilent = false

  /** Plans the buckets of the parameters' gradients. @param parameters those that train, the same in every process */
  constructor(
    collectives: Collectives,
    parameters: ReadonlyMap<string, Variable>,
    { bucketBytes }: DataParallelOptions = {},
  ) {
    this.#collectives = collectives
    this.#shapes = new Map([...parameters].map(([name, { shape }]) => [name, shape]))
    const sizes = new Map([...parameters].map(([name, { size }]) => [name, size]))
    this.#buckets = new GradientBuckets(collectives, sizes, bucketBytes)
  }

  /**
   * Begins a step.
   *
   * @param count of this process's images; may be 0. When no process has one, there is no step to reduce
   */
  async share(count: number): Promise<Share> {
    const counts = (await exchange(this.#collectives, [count])).map(([images]) => images as number)
    this.#processesWithImages = counts.filter(images => images > 0).length
    return { first: sum(counts.slice(0, this.#collectives.rank)), total: sum(counts) }
  }

  /**
   * Nothing is sent of the gradients that are computed in it: for all micro-batches of a step but the last, whose sender
   * gets their sums. PyTorch's `no_sync`.
   *
   * @param body computes gradients, with `sender()` as `onGradient`
   * @returns what it returns
   * @example
   * const compute = () => model.valueAndGrads(pixels, labels, { onGradient: parallel.sender(sums) })
   * const { grads } = isLast ? compute() : parallel.noSync(compute)
   */
  noSync<T>(body: () => T): T {
    const before = this.#isSilent
    this.#isSilent = true
    try {
      return body()
    } finally {
      this.#isSilent = before
    }
  }

  /**
   * For `model.valueAndGrads` of the last micro-batch: sends each gradient as soon as it is final. Nothing is sent early
   * where gradients cannot be read at once, and nothing at all in `noSync`.
   *
   * @param before sums over the earlier micro-batches
   */
  sender(before: Gradients = {}): ((name: string, gradient: Gradients[string]) => void) | undefined {
    if (this.#isSilent || getBackend() === 'webgpu') return undefined
    return (name, gradient) => {
      const own = ownFloats(gradient)
      if (own) this.#inPlace.set(name, own)
      const values = own ?? (gradient.dataSync() as Float32Array)
      const sums = before[name]?.dataSync() as Float32Array | undefined
      this.#buckets.add(name, values, { before: sums, inPlace: own !== undefined })
    }
  }

  /**
   * Ends the step.
   *
   * @param part this process's of the loss; and its gradients, `grads` of the last micro-batch and `before` of those before
   *   it, which are taken over
   * @returns the sums over all processes; and the parameters that some processes with images have not used
   */
  async reduce({ loss = 0, grads = {}, before = {} }: ReducePart = {}): Promise<Reduced> {
    for (const [name, gradient] of Object.entries(grads))
      if (!this.#buckets.arrived.has(name)) {
        const sums = (await before[name]?.data()) as Float32Array | undefined
        this.#buckets.add(name, (await gradient.data()) as Float32Array, { before: sums })
      }
    for (const sums of Object.values(before)) sums.dispose()
    const arrived = new Set(this.#buckets.arrived)
    const [sums, told] = await Promise.all([
      this.#buckets.finish(),
      exchange(this.#collectives, [loss, this.#fingerprint(arrived)]), // waits for nothing that the sums do not wait for
    ])
    const areSame = told.every(([, other]) => other === told[0]?.[1])
    const usesOf = areSame ? (name: string) => (arrived.has(name) ? told.length : 0) : await this.#uses(arrived)
    const reduced: Gradients = {}
    const unused: string[] = []
    for (const [name, shape] of this.#shapes) {
      const values = sums.get(name) as Float32Array
      const [own, uses] = [grads[name], usesOf(name)]
      if (own && this.#inPlace.get(name) === values) reduced[name] = own
      else {
        own?.dispose()
        if (uses > 0) reduced[name] = tensor(values, shape)
      }
      if (uses > 0 && uses < this.#processesWithImages) unused.push(name)
    }
    this.#inPlace.clear()
    return { loss: sum(told.map(([part]) => part as number)), grads: reduced, unused }
  }

  /** A hash of the parameters that have a gradient: the same in processes that use the same ones. 32 bits, FNV-1a. */
  #fingerprint(arrived: ReadonlySet<string>): number {
    let bits = 0x811c9dc5
    for (const name of this.#shapes.keys()) bits = Math.imul(bits ^ Number(arrived.has(name)), 0x01000193)
    return bits
  }

  /** In how many processes each parameter had a gradient. */
  async #uses(arrived: ReadonlySet<string>): Promise<(name: string) => number> {
    const names = [...this.#shapes.keys()]
    const counts = Float32Array.from(names, name => Number(arrived.has(name)))
    await this.#collectives.allReduce(counts)
    const uses = new Map(names.map((name, i) => [name, counts[i] as number]))
    return name => uses.get(name) as number
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
