/** Bun's web workers stand in for a browser's: a file that is not there is an error event, as in a page. */
import { expect, test } from 'bun:test'
import { startModuleWorker } from './module-worker.ts'

const echo = `
addEventListener('message', ({ data }) => postMessage(data.map(number => number * 2)))
postMessage('vitral: running')
`

/** The first thing that a worker says, or why it ended. */
const answerOf = (fromFile: () => Worker, text: () => Promise<string>): Promise<unknown> =>
  new Promise(resolve => {
    const end = (answer: unknown): void => {
      worker.terminate()
      resolve(answer)
    }
    const worker = startModuleWorker({ fromFile, text, onMessage: end, onEnd: end })
    worker.post([1, 2])
  })

const missing = (): Worker => new Worker(new URL('./no-such-worker.js', import.meta.url), { type: 'module' })
const fromEcho = (): Worker => new Worker(URL.createObjectURL(new Blob([echo])), { type: 'module' })
const noText = async (): Promise<string> => {
  throw new Error('there is no text')
}

test('a worker runs its file, and gets what was sent before it ran', async () => {
  expect(await answerOf(fromEcho, noText)).toEqual([2, 4])
})

test('a worker whose file is missing runs its text', async () => {
  expect(await answerOf(missing, async () => echo)).toEqual([2, 4])
})

test('a worker that may not be started from its origin runs its text', async () => {
  const refused = (): Worker => {
    throw new Error('Failed to construct Worker')
  }
  expect(await answerOf(refused, async () => echo)).toEqual([2, 4])
})

test('a worker with neither says so', async () => {
  expect(await answerOf(missing, noText)).toMatch(/^it failed: .*, nor its text \(there is no text\)$/)
})
