/** Threads in browsers: web workers. */
import type { Parent, StartThread } from './thread.ts'

export const startThread: StartThread = ({ onMessage, onEnd }) => {
  // In these very words, by which bundlers know that the file is an entry of its own.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }) => onMessage(data)
  // A web worker lives on after an error, in a state that nobody knows.
  worker.onerror = event => {
    event.preventDefault()
    worker.terminate()
    onEnd(`it failed: ${event.message ?? 'its script cannot be loaded'}`)
  }
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    hold: () => {}, // a page's workers end with it
    terminate: async () => {
      worker.onmessage = null
      worker.onerror = null
      worker.terminate()
    },
  }
}

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

export const parent: Parent = {
  post: (message, transfer = []) => scope.postMessage(message, [...transfer]),
  onMessage: listener => scope.addEventListener('message', ({ data }) => listener(data)),
}
