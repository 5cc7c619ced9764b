/** The `wasm` backend: our kernels as WebAssembly, for browsers, and for Node and Bun where there is no addon. */
import { findBackendFactory } from '@tensorflow/tfjs-core'
import { isInteger } from '@vitral/core/check'
import { bestRate, KernelBackend, registerKernelBackend } from '@vitral/core/kernels'
import { WasmModule } from './module.ts'
import { defaultThreads, mayShareMemory, WorkerPool } from './threads.ts'

/** The compiled instruction sets, best first: with fused multiply-adds and dot products, or without. */
export type WasmInstructionSet = 'relaxed-simd' | 'simd128'

/** What `wasmInfo` says. */
export interface WasmInfo {
  /** The compiled kernels that run. */
  instructionSet: WasmInstructionSet
  /** Threads the kernels use. */
  threads: number
}

interface Running {
  module: WasmModule
  pool: WorkerPool
  instructionSet: WasmInstructionSet
}

let running: Running | undefined
let starting: Promise<Running> | undefined

/**
 * Registers the backend `wasm` with tfjs-core; `useBackend('wasm')` of @vitral/core calls it.
 *
 * @throws when this engine has no SIMD, or gives WebAssembly no shared memory
 */
export async function startWasm(): Promise<void> {
  starting ??= start()
  try {
    running = await starting
  } catch (error) {
    starting = undefined
    throw error
  }
  const { module } = running
  if (!findBackendFactory('wasm')) registerKernelBackend('wasm', () => new KernelBackend(module.kernels, module))
}

/**
 * Sets the number of threads of the backend `wasm`, which has to have started: by default the processors, 16 at most,
 * and 1 in a page that is not cross-origin isolated, which cannot have more. Results have the same bits with any number.
 */
export function setWasmThreads(threads: number): void {
  if (!isInteger(threads, 1, 256))
    throw new Error(`setWasmThreads was given ${threads}; expected a whole number from 1 to 256.`)
  const current = requireRunning()
  if (threads > 1 && !mayShareMemory)
    throw new Error(
      'This page is not cross-origin isolated, so WebAssembly has one thread; serve it with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    )
  useThreads(current, threads)
}

/** What the kernels of the backend `wasm` run on. */
export function wasmInfo(): WasmInfo {
  const { module, instructionSet } = requireRunning()
  return { instructionSet, threads: module.threads }
}

/** How many tasks workers have carried out so far: 0 for as long as none of them runs. For tests. */
export const tasksOfWorkers = (): number => requireRunning().module.tasksOfWorkers

/** The rate at which this engine multiplies and adds from registers, in GFLOP/s: the best of a few short bursts. */
export function measureWasmPeak(threads: number = requireRunning().module.threads): number {
  const { module } = requireRunning()
  return bestRate(operations => module.multiplyAdd(operations, threads), threads)
}

function requireRunning(): Running {
  if (!running) throw new Error("The backend 'wasm' has not started; await useBackend('wasm') first.")
  return running
}

function useThreads({ module, pool }: Running, threads: number): void {
  pool.ensure(threads)
  module.threads = threads
}

async function start(): Promise<Running> {
  const instructionSet: WasmInstructionSet = WebAssembly.validate(relaxedMultiplyAdd) ? 'relaxed-simd' : 'simd128'
  const { binary } = await (instructionSet === 'relaxed-simd'
    ? import('./binaries/relaxed.ts')
    : import('./binaries/simd128.ts'))
  const module = await WasmModule.start(await unpacked(binary))
  const started = { module, pool: new WorkerPool(module), instructionSet }
  useThreads(started, defaultThreads())
  return started
}

/** A module as text: base64 of gzip, which every bundler, server and runtime carries along like any other code. */
async function unpacked(binary: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(binary), character => character.charCodeAt(0))
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
}

/** (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)) */
const relaxedMultiplyAdd = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 13, 1, 11, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfd, 0x85, 2, 0x0b],
)
