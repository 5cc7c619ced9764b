/** Threads in browsers: web workers. */
import { listenToPage, postToPage, startModuleWorker } from '@vitral/core/module-worker'
import type { Parent, StartThread } from './thread.ts'

export const startThread: StartThread = ({ onMessage, onEnd }) => {
  const { post, terminate } = startModuleWorker({
    // In these very words, by which bundlers know that the file is an entry of its own.
    fromFile: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
    text: async () => (await import('#worker-text')).text,
    onMessage,
    onEnd,
  })
  return {
    post,
    hold: () => {}, // a page's workers end with it
    terminate: async () => terminate(),
  }
}

export const parent: Parent = { post: postToPage, onMessage: listenToPage }
