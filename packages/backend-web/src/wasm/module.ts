/**
 * The WebAssembly module of the kernels: its memory, and calls into it.
 *
 * The memory is always a shared one. Browsers let a page that is not isolated make it, though not send it to a worker;
 * and where it grows, arrays that were cut from it before stay valid, which those of a memory of one's own do not.
 */
import type { KernelMemory, Kernels, MemoryChunk } from '@vitral/core/kernels'
import { CallReader } from './call-reader.ts'
import { outOfMemory } from './out-of-memory.ts'

/** What the module exports beside its ops: native/wasm/exports.cpp. */
interface Exports {
  __stack_pointer: WebAssembly.Global
  __tls_size: WebAssembly.Global
  __tls_align: WebAssembly.Global
  __wasm_init_tls(address: number): void
  allocate(bytes: number): number
  release(address: number): void
  threads(): number
  setThreads(threads: number): void
  tasksOfWorkers(): number
  multiplyAdd(operations: number, threads: number): number
  [op: string]: unknown
}

/** Pages at the beginning, and at most: 4 GB of addresses, or less where the system has no room for them. */
const INITIAL = 64
const MOST = [65536, 49152, 32768, 16384, 8192]

export class WasmModule implements KernelMemory {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly kernels: Kernels
  readonly #reader: CallReader
  readonly #exports: Exports

  readonly chunkBytes: number = 16 * 2 ** 20
  readonly smallest: number = 1

  /** @throws when this engine has no shared memory, or no room for it */
  static async start(binary: BufferSource): Promise<WasmModule> {
    const module = await WebAssembly.compile(binary)
    const memory = newMemory()
    const reader = new CallReader(memory)
    const { exports } = await WebAssembly.instantiate(module, { env: { memory }, vitral: reader.imports })
    return new WasmModule(module, memory, reader, exports as unknown as Exports)
  }

  private constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, reader: CallReader, exports: Exports) {
    this.module = module
    this.memory = memory
    this.#reader = reader
    this.#exports = exports
    reader.allocateCopy = bytes => this.#addressOf(bytes)
    const kernels: Record<string, (call: object) => unknown> = {}
    for (const [name, run] of Object.entries(exports))
      if (typeof run === 'function' && run.length === 0 && !own.has(name))
        kernels[name] = call => this.#call(name, run as () => void, call)
    this.kernels = kernels as unknown as Kernels
  }

  /** How many threads the kernels share their work among. Others than the caller's are workers that carry out `work`. */
  get threads(): number {
    return this.#exports.threads()
  }

  set threads(threads: number) {
    this.#exports.setThreads(threads)
  }

  /** How many tasks workers have carried out so far: 0 for as long as none of them runs. */
  get tasksOfWorkers(): number {
    return this.#exports.tasksOfWorkers()
  }

  /** Milliseconds that so many operations take in registers alone, a multiplication with an addition being two. */
  multiplyAdd(operations: number, threads: number): number {
    return this.#exports.multiplyAdd(operations, threads)
  }

  /** What a worker needs to join: a stack and thread-local memory of its own. */
  workerMemory(stackBytes: number): { stackTop: number; threadLocal: number } {
    const { __tls_size: size, __tls_align: align } = this.#exports
    const stack = this.#addressOf(stackBytes)
    const threadLocal = this.#addressOf(size.value + align.value)
    return { stackTop: stack + stackBytes, threadLocal: Math.ceil(threadLocal / align.value) * align.value }
  }

  allocate(bytes: number): MemoryChunk {
    const byteOffset = this.#addressOf(bytes)
    const buffer = this.#reader.currentBuffer()
    const holds = ({ byteOffset: at }: Float32Array) => at >= byteOffset && at < byteOffset + bytes
    return { buffer, byteOffset, byteLength: bytes, holds }
  }

  discard({ byteOffset }: MemoryChunk): void {
    this.#exports.release(byteOffset)
  }

  #addressOf(bytes: number): number {
    const address = this.#exports.allocate(bytes) >>> 0
    if (address === 0) throw outOfMemory(bytes, this.memory)
    return address
  }

  #call(name: string, run: () => void, call: object): unknown {
    const stack = this.#exports.__stack_pointer.value
    this.#reader.begin(call)
    try {
      run()
      return this.#reader.answer
    } catch (error) {
      this.#exports.__stack_pointer.value = stack // an error of the host's leaves the functions that it passes no end
      if (error instanceof Error) error.message = `${name}: ${error.message}`
      throw error
    } finally {
      for (const address of this.#reader.end()) this.#exports.release(address)
    }
  }
}

/** Exports that are no ops. */
const own: ReadonlySet<string> = new Set(['work', 'threads', 'tasksOfWorkers'])

function newMemory(): WebAssembly.Memory {
  let reason: unknown
  for (const maximum of MOST)
    try {
      return new WebAssembly.Memory({ initial: INITIAL, maximum, shared: true })
    } catch (error) {
      reason = error
    }
  throw new Error(`This engine gives WebAssembly no shared memory (${(reason as Error).message}).`)
}
