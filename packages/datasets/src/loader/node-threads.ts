/** Threads in Bun and Node: node:worker_threads. */
import { parentPort, Worker } from 'node:worker_threads'
import type { Parent, Thread, ThreadEvents } from './thread.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const workerUrl = new URL(`./worker.${extension}`, import.meta.url)

/** @param script what it runs, for tests */
export function startThread({ onMessage, onEnd }: ThreadEvents, script: URL = workerUrl): Thread {
  // Flags of the caller's process are not for the threads: Node refuses some there, such as --input-type.
  const worker = new Worker(script, { execArgv: [] })
  let why: string | undefined
  worker.on('message', onMessage)
  worker.on('error', (error: Error) => {
    why = `it failed: ${error.message}`
  })
  worker.on('exit', code => onEnd(why ?? `it stopped with exit code ${code}`))
  worker.unref()
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: busy => (busy ? worker.ref() : worker.unref()),
    terminate: async () => {
      worker.removeAllListeners('message').removeAllListeners('exit')
      await worker.terminate()
    },
  }
}

export const parent: Parent = {
  post: (message, transfer) => parentPort?.postMessage(message, transfer),
  onMessage: listener => parentPort?.on('message', listener),
}
