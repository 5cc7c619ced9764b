/**
 * Queues commands and hands them to the device, all that came since the last submission at once: their constants are in one
 * buffer, and their bind groups and pipelines are made once.
 */
import { Bindings, type Pipeline } from './bindings.ts'
import type { DeviceErrors } from './errors.ts'
import { isRepeated, Memory, type Range } from './memory.ts'
import { CONSTANT_BYTES, DEFAULT_LANES, flatWorkgroups, type Program, program, type Workgroups } from './program.ts'
import { plainBytes, Staging, type Values } from './staging.ts'

/** Dispatches whose constants fit between two submissions. */
const SLOTS = 1024

/** The largest tensor that is copied from the buffer of constants, which takes no submission of its own. */
const SMALL_UPLOAD = 16 * CONSTANT_BYTES

/** What was done since the backend started, for tests and benchmarks. */
export interface Counts {
  dispatches: number
  submits: number
  bindGroups: number
  pipelines: number
  /** Bytes that dispatches could read and write: the sizes of their ranges. */
  bytesBound: number
}

/** What a dispatch needs, whoever wrote its program. */
export interface Command {
  pipeline: Pipeline
  ranges: readonly Range[]
  constantBytes: number
  /** Writes the constants. */
  writeConstants: (place: DataView) => void
  workgroups: Workgroups
}

/** A command that waits for its submission. */
type Queued =
  | { pipeline: Pipeline; group: GPUBindGroup; offset: number; workgroups: Workgroups }
  | ((encoder: GPUCommandEncoder) => void)

/** Copies a tensor where WebGPU's own copies cannot: within one buffer. */
const copyProgram = program({
  name: 'copy',
  bindings: { input: 'u32', output: 'u32' },
  constants: { words: 'u32' },
  body: `
  let i = group * LANES + lane;
  if (i < constants.words) { output[i] = input[i]; }`,
})

export class Recorder {
  /** Memory of tensors. */
  readonly memory: Memory
  /** What programs bind that bind whole chunks of `memory`: bindings must not overlap. */
  readonly sideMemory: Memory
  readonly bindings: Bindings
  readonly #counts = { dispatches: 0, submits: 0, bytesBound: 0 }
  readonly #device: GPUDevice
  readonly #staging: Staging
  readonly #absent: Range[] = []
  /** The constants of what is recorded. */
  readonly constants: GPUBuffer
  readonly #words = new Uint32Array((SLOTS * CONSTANT_BYTES) / 4)
  #used = 0
  #queue: Queued[] = []

  constructor(device: GPUDevice, errors: DeviceErrors) {
    this.#device = device
    this.memory = new Memory(device, errors)
    this.sideMemory = new Memory(device, errors, 2 ** 18)
    this.bindings = new Bindings(device, errors)
    this.#staging = new Staging(device)
    const { UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage
    const usage = UNIFORM | COPY_SRC | COPY_DST
    this.constants = device.createBuffer({ label: 'constants', size: this.#words.byteLength, usage })
  }

  /** So many workgroups, as this device takes them. */
  workgroups(count: number): Workgroups {
    return flatWorkgroups(count, this.#device.limits)
  }

  /** Bytes of ranges in use, and of the buffers that they lie in. */
  get bytes(): { live: number; allocated: number } {
    const { memory, sideMemory } = this
    return {
      live: memory.liveBytes + sideMemory.liveBytes,
      allocated: memory.allocatedBytes + sideMemory.allocatedBytes,
    }
  }

  /** What was done so far. */
  get counts(): Counts {
    return { ...this.#counts, ...this.bindings.counts }
  }

  /** Records a program's dispatch; a binding without a range gets one that nobody reads. */
  dispatch<Binding extends string, Constant extends string>(
    program: Program<Binding, Constant>,
    ranges: Readonly<Record<Binding, Range | undefined>>,
    constants: Readonly<Record<Constant, number>>,
    workgroups: Workgroups,
  ): void {
    const names = Object.keys(program.bindings) as Binding[]
    this.record({
      pipeline: this.bindings.pipeline(program),
      ranges: names.map((name, i) => ranges[name] ?? this.#absentRange(i)),
      constantBytes: CONSTANT_BYTES,
      writeConstants(place) {
        let offset = 0
        for (const name in program.constants) {
          if (program.constants[name] === 'f32') place.setFloat32(offset, constants[name], true)
          else place.setUint32(offset, constants[name], true)
          offset += 4
        }
      },
      workgroups,
    })
  }

  /** Records a dispatch of any pipeline whose layout is one of `layout`. */
  record({ pipeline, ranges, constantBytes, writeConstants, workgroups }: Command): void {
    const distinct = this.#withoutRepeats(ranges)
    const offset = this.reserve(constantBytes)
    writeConstants(this.constantsAt(offset, constantBytes))
    const group = this.bindings.group(distinct, this.constants, constantBytes)
    this.#queue.push({ pipeline, group, offset, workgroups })
    this.#counts.dispatches++
    for (const [i, range] of distinct.entries()) {
      this.#counts.bytesBound += range.size
      if (range !== ranges[i]) this.memory.release(range)
    }
  }

  /** A place for so many bytes of constants; submits when there is none. */
  reserve(bytes: number): number {
    const size = Math.ceil(bytes / CONSTANT_BYTES) * CONSTANT_BYTES
    if (this.#used + size > this.#words.byteLength) this.submit()
    const offset = this.#used
    this.#used += size
    return offset
  }

  /** The bytes at a place of the constants, to write. */
  constantsAt(offset: number, bytes: number): DataView {
    return new DataView(this.#words.buffer, offset, bytes)
  }

  /** Writes values to where a new tensor lies. They are plain memory, not shared: Dawn's writeBuffer ends the process otherwise. */
  upload(range: Range, values: Values): void {
    const bytes = Math.ceil(values.byteLength / 4) * 4
    if (bytes === 0) return
    if (this.#queue.length === 0 || ![this.memory, this.sideMemory].some(memory => memory.isRecycled(range))) {
      this.#device.queue.writeBuffer(range.buffer, range.offset, plainBytes(values))
    } else if (bytes <= SMALL_UPLOAD) {
      const place = this.reserve(bytes)
      new Uint8Array(this.#words.buffer, place, bytes).set(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      )
      this.encode(encoder => encoder.copyBufferToBuffer(this.constants, place, range.buffer, range.offset, bytes))
    } else {
      this.submit() // the queued commands that use this memory come first
      this.#device.queue.writeBuffer(range.buffer, range.offset, plainBytes(values))
    }
  }

  /** Copies within the device. */
  copy(input: Range, output: Range, bytes: number): void {
    const words = Math.ceil(bytes / 4)
    this.dispatch(copyProgram, { input, output }, { words }, this.workgroups(Math.ceil(words / DEFAULT_LANES)))
  }

  /** The bytes of a range, after all that was recorded before. */
  async read(range: Range, bytes: number): Promise<ArrayBuffer> {
    const size = Math.ceil(bytes / 4) * 4
    if (size === 0) return new ArrayBuffer(0)
    const staging = this.#staging.acquire(size)
    this.encode(encoder => encoder.copyBufferToBuffer(range.buffer, range.offset, staging, 0, size))
    await this.bindings.ready() // and reads that begin together share a submission
    this.submit()
    await staging.mapAsync(GPUMapMode.READ, 0, size)
    const values = staging.getMappedRange(0, size).slice(0, bytes)
    staging.unmap()
    this.#staging.release(staging)
    return values
  }

  /** Records what is no dispatch of `record`. */
  encode(command: (encoder: GPUCommandEncoder) => void): void {
    this.#queue.push(command)
  }

  /** Hands what was recorded to the device; pipelines that are not compiled yet are compiled now. */
  submit(): void {
    if (this.#queue.length === 0) return
    const encoder = this.#device.createCommandEncoder()
    let pass: GPUComputePassEncoder | undefined
    let current: Pipeline | undefined
    for (const command of this.#queue) {
      if (typeof command === 'function') {
        pass?.end()
        pass = current = undefined
        command(encoder)
        continue
      }
      const { pipeline, group, offset, workgroups } = command
      pass ??= encoder.beginComputePass()
      if (pipeline !== current) pass.setPipeline(this.bindings.compiled(pipeline))
      current = pipeline
      pass.setBindGroup(0, group, [offset])
      pass.dispatchWorkgroups(...workgroups)
    }
    pass?.end()
    if (this.#used > 0) this.#device.queue.writeBuffer(this.constants, 0, this.#words.subarray(0, this.#used / 4))
    this.#device.queue.submit([encoder.finish()])
    this.#queue = []
    this.#used = 0
    this.#counts.submits++
    const destroyed = [this.memory, this.sideMemory].map(memory => memory.submitted())
    if (destroyed.includes(true)) this.bindings.clear()
  }

  dispose(): void {
    this.memory.dispose()
    this.sideMemory.dispose()
    this.#staging.dispose()
    this.constants.destroy()
  }

  /** A second binding of the same range becomes one of a copy: WebGPU forbids that two writable bindings overlap. */
  #withoutRepeats(ranges: readonly Range[]): Range[] {
    return ranges.map((range, i) => {
      if (!isRepeated(ranges, i)) return range
      const copy = this.memory.acquire(range.size)
      this.copy(range, copy, range.size)
      return copy
    })
  }

  /** The range of a binding that was not given: its own, since writable bindings must not overlap. */
  #absentRange(binding: number): Range {
    this.#absent[binding] ??= this.sideMemory.acquire(1)
    return this.#absent[binding]
  }
}
