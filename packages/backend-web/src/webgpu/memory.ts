/**
 * The device's memory: every tensor is a range of one of a few large buffers, the chunks. A range can be reused at once, since
 * the queue runs commands in their order; and an op over all parameters of a model binds a few chunks, not hundreds of buffers.
 */
import type { DeviceErrors } from './errors.ts'

/** A place in one of the device's buffers: of a chunk, or a buffer that somebody else made. */
export interface Range {
  readonly buffer: GPUBuffer
  /** Number of the chunk, which is part of the key of bind groups; below zero for a buffer that is no chunk. */
  readonly chunk: number
  /** Bytes from the buffer's start, a multiple of ALIGNMENT. */
  readonly offset: number
  /** Bytes, a multiple of ALIGNMENT in a chunk. */
  readonly size: number
}

/** Whether a tensor lies in memory; tfjs's pictures do not. */
export const isRange = (resource: object): resource is Range => 'chunk' in resource

/** Whether a range begins where one before it does. */
export function isRepeated(ranges: readonly Range[], i: number): boolean {
  const { chunk, offset } = ranges[i] as Range
  for (let other = 0; other < i; other++)
    if (ranges[other]?.chunk === chunk && ranges[other]?.offset === offset) return true
  return false
}

/** The largest `minStorageBufferOffsetAlignment` that a device may have, so that ranges are the same on all. */
export const ALIGNMENT = 256

/** Bytes of a first chunk: enough for a small model, little beside the memory of any GPU. */
const SMALLEST_CHUNK = 2 ** 24

/** From here on chunks grow no more: half of a last one may stay empty. */
const LARGEST_CHUNK = 2 ** 29

/** A chunk that nobody used for so many submissions goes back to the system. */
const IDLE_SUBMISSIONS = 64

interface Free {
  offset: number
  size: number
}

interface Chunk {
  id: number
  buffer: GPUBuffer
  /** Sorted by offset, never adjacent: the same live ranges always leave the same free ones, so that steps repeat exactly. */
  free: Free[]
  lastUse: number
}

/** Number of the next chunk, of whatever memory. */
let made = 0

/** Ranges of chunks: the smallest free one that fits, the first of equals. */
export class Memory {
  /** Bytes of ranges in use. */
  liveBytes = 0
  /** Bytes of all chunks. */
  allocatedBytes = 0
  /** The most bytes that one range can have: what a kernel can bind. */
  readonly limit: number
  readonly #device: GPUDevice
  readonly #errors: DeviceErrors
  readonly #chunks: Chunk[] = []
  /** Ranges that queued commands may still use: what is written past the queue must not touch them. */
  #recycled: Range[] = []
  #submissions = 0
  readonly #smallest: number

  constructor(device: GPUDevice, errors: DeviceErrors, smallest: number = SMALLEST_CHUNK) {
    this.#smallest = smallest
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits
    this.limit = Math.min(maxBufferSize, maxStorageBufferBindingSize)
    this.#device = device
    this.#errors = errors
  }

  /** A range of at least so many bytes, with whatever they hold. */
  acquire(bytes: number): Range {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT
    const [chunk, index] = this.#find(size) ?? [this.#grow(size), 0]
    const free = chunk.free[index] as Free
    const { offset } = free
    if (free.size === size) chunk.free.splice(index, 1)
    else {
      free.offset += size
      free.size -= size
    }
    chunk.lastUse = this.#submissions
    this.liveBytes += size
    return { buffer: chunk.buffer, chunk: chunk.id, offset, size }
  }

  release(range: Range): void {
    const { offset, size } = range
    const chunk = this.#chunks.find(({ id }) => id === range.chunk)
    if (!chunk) return // of a buffer that is not ours
    const { free } = chunk
    let [index, end] = [0, free.length]
    while (index < end) {
      const middle = (index + end) >> 1
      if ((free[middle] as Free).offset > offset) end = middle
      else index = middle + 1
    }
    const [before, after] = [free[index - 1], free[index]]
    const joinsBefore = before && before.offset + before.size === offset
    const joinsAfter = after && offset + size === after.offset
    if (joinsBefore) {
      before.size += size + (joinsAfter ? after.size : 0)
      if (joinsAfter) free.splice(index, 1)
    } else if (joinsAfter) {
      after.offset = offset
      after.size += size
    } else free.splice(index, 0, { offset, size })
    chunk.lastUse = this.#submissions
    this.liveBytes -= size
    this.#recycled.push(range)
  }

  /** Whether commands that are not submitted yet may use what lies there now. */
  isRecycled({ chunk, offset, size }: Range): boolean {
    return this.#recycled.some(
      other => other.chunk === chunk && other.offset < offset + size && offset < other.offset + other.size,
    )
  }

  /** Takes note that all commands are submitted. @returns whether buffers were destroyed */
  submitted(): boolean {
    this.#recycled = []
    this.#submissions++
    const idle = this.#chunks.filter(
      ({ buffer, free, lastUse }) => free[0]?.size === buffer.size && this.#submissions - lastUse > IDLE_SUBMISSIONS,
    )
    for (const chunk of idle) {
      this.#chunks.splice(this.#chunks.indexOf(chunk), 1)
      this.allocatedBytes -= chunk.buffer.size
      chunk.buffer.destroy()
    }
    return idle.length > 0
  }

  dispose(): void {
    for (const { buffer } of this.#chunks) buffer.destroy()
    this.#chunks.length = 0
    this.liveBytes = this.allocatedBytes = 0
  }

  #find(size: number): [chunk: Chunk, index: number] | undefined {
    let [found, place, smallest] = [undefined as Chunk | undefined, 0, Number.POSITIVE_INFINITY]
    for (const chunk of this.#chunks)
      for (let index = 0; index < chunk.free.length; index++) {
        const free = chunk.free[index] as Free
        if (free.size < size || free.size >= smallest) continue
        smallest = free.size
        found = chunk
        place = index
        if (smallest === size) return [found, place]
      }
    return found && [found, place]
  }

  #grow(atLeast: number): Chunk {
    const half = Math.ceil(this.allocatedBytes / 2 / ALIGNMENT) * ALIGNMENT
    const wanted = Math.max(atLeast, Math.min(Math.max(half, this.#smallest), LARGEST_CHUNK))
    const size = Math.max(atLeast, Math.min(wanted, Math.floor(this.limit / ALIGNMENT) * ALIGNMENT))
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage
    const buffer = this.#errors.during(undefined, () =>
      this.#device.createBuffer({ label: this.#errors.label, size, usage: STORAGE | COPY_SRC | COPY_DST }),
    )
    const chunk = { id: made++, buffer, free: [{ offset: 0, size }], lastUse: this.#submissions }
    this.#chunks.push(chunk)
    this.allocatedBytes += size
    return chunk
  }
}
