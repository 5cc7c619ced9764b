/** Several JavaScript threads with a native backend each, on the one pool of threads of the process. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { trainingBits } from '../../test/training-bits.ts'
import { deviceInfo, setThreads } from './index.ts'

let threads: number
let expected: string
beforeAll(async () => {
  await useBackend('native')
  ;({ threads } = deviceInfo())
  setThreads(3)
  expected = trainingBits()
})
afterAll(() => setThreads(threads))

test('useBackend takes a number of threads', async () => {
  await useBackend('native', { threads: 2 })
  expect(deviceInfo().threads).toBe(2)
  setThreads(3)
})

/** A worker that computes, and what it will answer. */
async function startWorker(steps: number): Promise<{ worker: Worker; bits: Promise<string[]> }> {
  const worker = new Worker(new URL('../../test/training-worker.ts', import.meta.url))
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => reject(new Error(message))
    })
  const started = next()
  worker.postMessage(steps)
  expect(await started).toBe('computing')
  return { worker, bits: next() as Promise<string[]> }
}

test('workers and the main thread get the bits that one alone gets', async () => {
  const workers = await Promise.all([1, 2].map(() => startWorker(20)))
  for (let step = 0; step < 20; step++) expect(trainingBits()).toBe(expected)
  for (const { worker, bits } of workers) {
    expect(await bits).toEqual(Array(20).fill(expected))
    worker.terminate()
  }
})

test('a worker that is ended while it computes takes nothing along', async () => {
  for (let round = 0; round < 3; round++) {
    const { worker, bits } = await startWorker(Number.POSITIVE_INFINITY)
    bits.catch(() => {}) // it never answers
    for (let step = 0; step < 5; step++) expect(trainingBits()).toBe(expected)
    worker.terminate()
    for (let step = 0; step < 5; step++) expect(trainingBits()).toBe(expected)
  }
})
