/**
 * Memory of tensors, cut from large chunks: what one tensor gives back the next of any size can have, so that a training
 * step's activations and gradients share their memory and its pages stay mapped from one step to the next.
 */
import type { KernelMemory, MemoryChunk } from './calls.ts'

/** A cache line. */
const ALIGNMENT = 64
/** Milliseconds for which a chunk without tensors is kept. */
const KEPT = 30_000

interface Range {
  begin: number
  end: number
}

interface Chunk {
  memory: MemoryChunk
  /** What no tensor has, by offsets in the buffer, in their order; no two touch. */
  free: Range[]
  /** When its last tensor went; undefined while it has one. */
  emptySince: number | undefined
}

/** Ownership: an array that was acquired belongs to the caller until it is released, and to nobody else after. */
export class BufferPool {
  readonly #system: KernelMemory
  readonly #now: () => number
  readonly #chunks: Chunk[] = []
  #liveBytes = 0
  #wholeBytes = 0

  /** @param now the time in milliseconds. @default performance.now */
  constructor(system: KernelMemory, now: () => number = () => performance.now()) {
    this.#system = system
    this.#now = now
  }

  get liveBytes(): number {
    return this.#liveBytes
  }

  get freeBytes(): number {
    return this.#wholeBytes - this.#liveBytes
  }

  /** An array of `length` floats, its contents undefined. */
  acquire(length: number): Float32Array {
    if (length < this.#system.smallest) return new Float32Array(length)
    this.#dropOld()
    const bytes = wholeLines(length)
    const [chunk, index] = this.#tightest(bytes) ?? [this.#grow(bytes), 0]
    const range = chunk.free[index] as Range
    const offset = range.begin
    range.begin += bytes
    if (range.begin === range.end) chunk.free.splice(index, 1)
    chunk.emptySince = undefined
    this.#liveBytes += bytes
    return new Float32Array(chunk.memory.buffer, offset, length)
  }

  /** Gives an array back. Its owner must not touch it again. */
  release(array: Float32Array): void {
    if (array.length < this.#system.smallest) return
    const chunk = this.#chunks.find(({ memory }) => memory.holds(array)) as Chunk
    const { free, memory } = chunk
    const begin = array.byteOffset
    const end = begin + wholeLines(array.length)
    this.#liveBytes -= end - begin
    const next = free.findIndex(range => range.begin >= end)
    const at = next < 0 ? free.length : next
    const [before, after] = [free[at - 1], free[at]]
    const joinsBefore = before?.end === begin
    const joinsAfter = after?.begin === end
    if (joinsBefore && joinsAfter) {
      before.end = after.end
      free.splice(at, 1)
    } else if (joinsBefore) before.end = end
    else if (joinsAfter) after.begin = begin
    else free.splice(at, 0, { begin, end })
    if (free[0]?.begin === memory.byteOffset && free[0].end === endOf(memory)) chunk.emptySince = this.#now()
  }

  /** The smallest free range that is large enough. */
  #tightest(bytes: number): [chunk: Chunk, index: number] | undefined {
    let found: [Chunk, number] | undefined
    let smallest = Number.POSITIVE_INFINITY
    for (const chunk of this.#chunks)
      for (const [index, { begin, end }] of chunk.free.entries()) {
        if (end - begin < bytes || end - begin >= smallest) continue
        smallest = end - begin
        found = [chunk, index]
      }
    return found
  }

  #grow(bytes: number): Chunk {
    const memory = this.#system.allocate(Math.max(bytes, this.#system.chunkBytes))
    const free = [{ begin: memory.byteOffset, end: endOf(memory) }]
    const chunk: Chunk = { memory, free, emptySince: undefined }
    this.#chunks.push(chunk)
    this.#wholeBytes += memory.byteLength
    return chunk
  }

  /** Gives chunks back that no tensor has been in for a while; earlier, a step would have their pages mapped anew. */
  #dropOld(): void {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const { memory, emptySince } = this.#chunks[i] as Chunk
      if (emptySince === undefined || this.#now() - emptySince < KEPT) continue
      this.#chunks.splice(i, 1)
      this.#wholeBytes -= memory.byteLength
      this.#system.discard(memory)
    }
  }
}

const wholeLines = (length: number): number => Math.ceil((length * 4) / ALIGNMENT) * ALIGNMENT

const endOf = ({ byteOffset, byteLength }: MemoryChunk): number => byteOffset + byteLength
