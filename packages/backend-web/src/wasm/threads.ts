/**
 * The threads of the module: workers that share its memory and carry out `work` of native/wasm/threads.cpp.
 *
 * A worker's program is a text of a few lines, so that no bundler has to find a file for it. It may start late or not
 * at all: until then the calling thread carries out every task itself.
 */
import { onNode } from '../runtime.ts'
import type { WasmModule } from './module.ts'

/** As much as threads of the system have for the kernels' deepest calls, with plenty to spare. */
const STACK_BYTES = 2 ** 18
const MOST_THREADS = 16

interface Seat {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  stackTop: number
  threadLocal: number
}

/** Runs in the worker alone, as text: it can use nothing of this file. */
function join({ module, memory, stackTop, threadLocal }: Seat): void {
  const vitral: Record<string, () => never> = {}
  for (const { name } of WebAssembly.Module.imports(module))
    vitral[name] = () => {
      throw new Error(`A task called ${name} of the host.`)
    }
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, vitral })
  const { __stack_pointer, __wasm_init_tls, work } = exports as unknown as {
    __stack_pointer: WebAssembly.Global
    __wasm_init_tls(address: number): void
    work(): void
  }
  for (;;) {
    __stack_pointer.value = stackTop
    __wasm_init_tls(threadLocal)
    try {
      work()
    } catch {
      // Memory ended in a task, of which the caller has been told: the next one is begun anew.
    }
  }
}

/** Whether workers may have the memory: not in a page that is not cross-origin isolated. */
export const mayShareMemory: boolean = onNode || globalThis.crossOriginIsolated === true

/** How many threads the kernels have by default: as many as processors, 16 at most. */
export function defaultThreads(): number {
  if (!mayShareMemory) return 1
  const processors = onNode
    ? process.getBuiltinModule('os').availableParallelism()
    : (globalThis.navigator?.hardwareConcurrency ?? 1)
  return Math.min(processors, MOST_THREADS)
}

/** Starts the workers for so many threads, the caller's being one of them, beside those that there are. */
export class WorkerPool {
  readonly #module: WasmModule
  #started = 0

  constructor(module: WasmModule) {
    this.#module = module
  }

  ensure(threads: number): void {
    for (; this.#started < threads - 1; this.#started++) {
      const { module, memory } = this.#module
      start({ module, memory, ...this.#module.workerMemory(STACK_BYTES) })
    }
  }
}

function start(seat: Seat): void {
  if (onNode) {
    const { Worker } = process.getBuiltinModule('worker_threads')
    const text = `(${join})(require('worker_threads').workerData)`
    new Worker(text, { eval: true, workerData: seat, execArgv: [] }).unref()
    return
  }
  const url = URL.createObjectURL(new Blob([`onmessage = ({ data }) => (${join})(data)`], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.postMessage(seat)
}
