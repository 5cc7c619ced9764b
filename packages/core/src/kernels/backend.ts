/**
 * What the backends `native` and `wasm` are: tfjs's cpu backend over memory that compiled kernels share.
 *
 * Every stock kernel of the cpu backend works on it unchanged, since the values are plain Float32Arrays. Ownership:
 * what a user writes is copied in and what a user reads is copied out, so kernels may write in place and reuse memory.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { type TensorInfo, util } from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import { BufferPool } from './buffer-pool.ts'
import type { ComputeDtype, KernelMemory, Kernels } from './calls.ts'

/** What the cpu backend keeps of a tensor, and what is ours. */
interface Data {
  /** The values as float32; where they are stored as bfloat16, a copy made each time, for kernels that are not ours. */
  values?: Float32Array | Int32Array | Uint8Array
  /** The values as bfloat16, and their memory in the pool. */
  bf16?: { words: Uint16Array; memory: Float32Array }
  /** The values belong to the pool. */
  pooled?: boolean
  /** This weight as the matrix product wants it, for as long as none of those that are packed with it changes. */
  packed?: Packed
}

interface Packed {
  values: Float32Array
  dtype: ComputeDtype
  weights: readonly Data[]
}

/** A backend of compiled kernels: its tensors lie where they can reach them, and what has no kernel runs on the CPU backend. */
export class KernelBackend extends MathBackendCPU {
  /** The compiled kernels. */
  readonly kernels: Kernels
  readonly #pool: BufferPool
  /** What the kernel that runs has allocated. */
  #made: object[] = []

  /** A backend of these kernels and their memory. */
  constructor(kernels: Kernels, memory: KernelMemory) {
    super()
    this.kernels = kernels
    this.#pool = new BufferPool(memory)
    Object.assign(this, { firstUse: false }) // or the cpu backend would print an advertisement
  }

  /** Runs a kernel, and frees what it has allocated when it throws: memory may end between two of its tensors. */
  runKernel<T>(run: () => T): T {
    this.#made = []
    try {
      return run()
    } catch (error) {
      for (const dataId of this.#made) if (this.data.has(dataId)) this.disposeData(dataId, true)
      throw error
    } finally {
      this.#made = []
    }
  }

  /** A new float32 tensor, its values undefined: for the kernel that makes it to fill. */
  allocate(shape: number[]): { info: TensorInfo; values: Float32Array } {
    const values = this.#pool.acquire(elementsOf(shape))
    const dataId = this.#keep(values, shape)
    this.#made.push(dataId)
    return { info: { dataId, shape, dtype: 'float32' }, values }
  }

  /** The same, stored as bfloat16: half the memory. Every kernel can read it; those that know do without a copy. */
  allocateBf16(shape: number[]): { info: TensorInfo; values: Uint16Array } {
    const size = elementsOf(shape)
    const memory = this.#pool.acquire(Math.ceil(size / 2))
    const words = new Uint16Array(memory.buffer, memory.byteOffset, size)
    const dataId = super.write(memory, shape, 'float32')
    this.#made.push(dataId)
    const record = this.#record(dataId)
    record.bf16 = { words, memory }
    Object.defineProperty(record, 'values', { get: () => expanded(words) })
    return { info: { dataId, shape, dtype: 'float32' }, values: words }
  }

  /** The values of a float32 tensor as they are stored, for a kernel that reads both. */
  numbers(tensor: TensorInfo): Float32Array | Uint16Array {
    return this.#record(tensor.dataId).bf16?.words ?? this.floats(tensor)
  }

  /** Bytes that a tensor's values take. */
  storedBytes({ dataId, shape, dtype }: TensorInfo): number {
    const words = this.#record(dataId).bf16?.words
    return words ? words.byteLength : elementsOf(shape) * util.bytesPerElement(dtype)
  }

  /** The values of a float32 tensor, for reading by a kernel. */
  floats({ dataId }: TensorInfo): Float32Array {
    const { values } = this.#record(dataId)
    // tfjs casts without a copy where no value changes, so a tensor of booleans may call itself float32.
    return values instanceof Float32Array ? values : Float32Array.from(values as Int32Array)
  }

  /** The values of an int32 tensor, for reading by a kernel. */
  ints({ dataId }: TensorInfo): Int32Array {
    const { values } = this.#record(dataId)
    return values instanceof Int32Array ? values : Int32Array.from(values as Uint8Array)
  }

  /** The values of a float32 tensor, for a step to write in place; what was derived from them is dropped. */
  floatsInPlace(tensor: TensorInfo): Float32Array {
    const record = this.#record(tensor.dataId)
    this.#dropPacked(record)
    if (!record.pooled) Object.assign(record, this.#own(this.floats(tensor)))
    return record.values as Float32Array
  }

  /** Another tensor of the same data. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    this.incRef(dataId)
    return { dataId, shape, dtype }
  }

  /**
   * Weights packed for the matrix product: made once, kept until one of them changes or goes, or until they are wanted
   * in another precision.
   *
   * @param dtype what the products are of
   * @param floats how long the packed weight is
   * @param pack writes it
   */
  packed(
    weights: readonly TensorInfo[],
    dtype: ComputeDtype,
    floats: () => number,
    pack: (packed: Float32Array) => void,
  ): Float32Array {
    const known = this.#record((weights[0] as TensorInfo).dataId).packed
    if (
      known?.dtype === dtype &&
      known.weights.length === weights.length &&
      weights.every(({ dataId }, i) => this.#record(dataId) === known.weights[i])
    )
      return known.values
    const records = weights.map(({ dataId }) => this.#record(dataId))
    for (const record of records) this.#dropPacked(record)
    const values = this.#pool.acquire(floats())
    try {
      pack(values)
    } catch (error) {
      this.#pool.release(values)
      throw error
    }
    for (const record of records) record.packed = { values, dtype, weights: records }
    return values
  }

  /** Gives back what was packed of weights that now train: it would be in memory beside all that training needs. */
  dropPacked(weights: readonly TensorInfo[]): null {
    for (const { dataId } of weights) this.#dropPacked(this.#record(dataId))
    return null
  }

  /** Copies values into the kernels' memory. */
  override write(...[values, shape, dtype]: Parameters<MathBackendCPU['write']>): object {
    if (!(values instanceof Float32Array) || dtype !== 'float32') return super.write(values, shape, dtype)
    return this.#keep(this.#own(values).values, shape)
  }

  /** Copies values of a tensor that exists into the kernels' memory. */
  override move(...[dataId, values, shape, dtype, refCount]: Parameters<MathBackendCPU['move']>): void {
    super.move(dataId, values, shape, dtype, refCount)
    if (values instanceof Float32Array && dtype === 'float32') Object.assign(this.#record(dataId), this.#own(values))
  }

  /** A copy of a tensor's values. */
  override readSync(dataId: object): ReturnType<MathBackendCPU['readSync']> {
    const { pooled, values } = this.#record(dataId)
    return pooled && values ? values.slice() : super.readSync(dataId)
  }

  /** A copy of a tensor's values. */
  override async read(dataId: object): ReturnType<MathBackendCPU['read']> {
    return this.readSync(dataId)
  }

  /** Frees a tensor's memory, once nothing refers to it. */
  override disposeData(dataId: object, force = false): boolean {
    const record = this.data.has(dataId) ? this.#record(dataId) : undefined
    const released = super.disposeData(dataId, force)
    if (released && record) {
      this.#dropPacked(record)
      if (record.bf16) this.#pool.release(record.bf16.memory)
      else if (record.pooled) this.#pool.release(record.values as Float32Array)
    }
    return released
  }

  /** Bytes of live tensors in the pool, and bytes of its chunks that none has; the system backs those once touched. */
  override memory(): ReturnType<MathBackendCPU['memory']> & { numBytesLive: number; numBytesFree: number } {
    return {
      unreliable: false,
      reasons: [],
      numBytesLive: this.#pool.liveBytes,
      numBytesFree: this.#pool.freeBytes,
    }
  }

  #dropPacked({ packed }: Data): void {
    if (!packed) return
    this.#pool.release(packed.values)
    for (const weight of packed.weights) delete weight.packed
  }

  /** A copy in the pool, of values that belong to somebody else. */
  #own(values: Float32Array): { values: Float32Array; pooled: true; dtype: 'float32' } {
    const own = this.#pool.acquire(values.length)
    own.set(values)
    return { values: own, pooled: true, dtype: 'float32' }
  }

  #keep(values: Float32Array, shape: number[]): object {
    const dataId = super.write(values, shape, 'float32')
    this.#record(dataId).pooled = true
    return dataId
  }

  #record(dataId: object): Data {
    return this.data.get(dataId) as unknown as Data
  }
}

/** bfloat16 as float32, which begins with the same bits. */
function expanded(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length)
  for (const [i, word] of words.entries()) bits[i] = word << 16
  return new Float32Array(bits.buffer)
}
