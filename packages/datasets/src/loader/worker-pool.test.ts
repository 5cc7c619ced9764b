/** Threads that end, fail or hang: the work is done again, with the same bits, or the error says what happened. */
import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openCifar10 } from '../sources/cifar.ts'
import { specOf } from '../transforms/define.ts'
import * as transforms from '../transforms/index.ts'
import type { Batch, DatasetSource } from '../types.ts'
import { type BatchMaker, createBatchMaker } from './batch-maker.ts'
import { startThread } from './node-threads.ts'
import type { Thread, ThreadEvents } from './thread.ts'
import { createWorkerPool, type WorkerPoolOptions } from './worker-pool.ts'

const dataset = await openCifar10(join(import.meta.dir, '../../../../examples/cifar10-sample'), { split: 'test' })
const chain = transforms.articleFromScratch({ train: true })
const script = (name: string): URL => new URL(`../../test/workers/${name}.ts`, import.meta.url)

const pools: BatchMaker[] = []
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.stop(new Error('The test is over.'))
})

const makerHere = createBatchMaker({ dataset, transforms: chain, batchTransforms: [], seed: 3, shared: false })

function createPool(options: Partial<WorkerPoolOptions>): BatchMaker {
  const setup = {
    source: dataset.source as DatasetSource,
    transforms: chain.map(specOf),
    batchTransforms: [],
    seed: 3,
    shared: true,
  }
  const pool = createWorkerPool(setup, { workers: 2, timeoutSeconds: 60, ...options })
  pools.push(pool)
  return pool
}

const requests = Array.from({ length: 6 }, (_, i) => ({
  epoch: 1,
  place: i,
  indices: Int32Array.of(3 * i, 3 * i + 1, 3 * i + 2),
}))

async function expectAll(batches: Promise<Batch>[]): Promise<void> {
  for (const [i, batch] of (await Promise.all(batches)).entries())
    expect(batch).toEqual(await makerHere.make(requests[i] as (typeof requests)[number]))
}

/** The first thread runs another script, those after it the loader's own. */
const firstIs = (name: string): ((events: ThreadEvents) => Thread) => {
  let started = 0
  return events => startThread(events, started++ === 0 ? script(name) : undefined)
}

describe('a thread is replaced, and what it had to make is made,', () => {
  test.each(['exiting', 'failing'])('a thread that is %s is replaced', async name => {
    const pool = createPool({ start: firstIs(name) })
    await expectAll(requests.map(request => pool.make(request)))
  })

  test('a thread that hangs is replaced', async () => {
    const pool = createPool({ start: firstIs('hanging'), timeoutSeconds: 5 })
    await expectAll(requests.map(request => pool.make(request)))
  })

  test('a thread that is killed while it works is replaced', async () => {
    const running: { events: ThreadEvents; thread: Thread }[] = []
    const pool = createPool({
      start(events) {
        const thread = startThread(events)
        running.push({ events, thread })
        return thread
      },
    })
    const batches = requests.map(request => pool.make(request))
    await batches[0] // it has begun with the next
    const { thread, events } = running[0] as (typeof running)[number]
    await thread.terminate()
    events.onEnd('somebody ended it')
    await expectAll(batches)
    expect(running.length).toBe(3)
    // One without work is started again when there is some.
    const idle = running[2] as (typeof running)[number]
    await idle.thread.terminate()
    idle.events.onEnd('somebody ended it')
    expect(running.length).toBe(3)
    await expectAll(requests.map(request => pool.make(request)))
    expect(running.length).toBe(4)
  })
})

describe('a batch that ends every thread is an error', () => {
  test.each([
    ['exiting', 'it stopped with exit code 3'],
    ['failing', 'it failed: as it was told'],
  ])('%s', async (name, why) => {
    let started = 0
    const pool = createPool({
      workers: 1,
      start: events => {
        started++
        return startThread(events, script(name))
      },
    })
    const [first] = requests
    const error = await pool.make(first as (typeof requests)[number]).catch(String)
    expect(error).toBe(
      `Error: A worker of the loader ended 3 times while it made the batch of examples 0, 1, 2 (epoch 1): ${why}.`,
    )
    expect(started).toBe(3)
  })

  test('hanging: says for how long, and what to do', async () => {
    const pool = createPool({
      workers: 1,
      timeoutSeconds: 0.1,
      start: events => startThread(events, script('hanging')),
    })
    const error = await pool
      .make({ epoch: 0, place: 0, indices: Int32Array.from({ length: 20 }, (_, i) => i) })
      .catch(String)
    expect(error).toContain(
      'examples 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10 more (epoch 0): it answered nothing for 0.1 s; raise',
    )
  })
})

test('the memory given is written, when it is large enough', async () => {
  const pool = createPool({ workers: 1 })
  const [request] = requests as [(typeof requests)[number]]
  const { pixelValues } = await pool.make(request)
  const memory = pixelValues.data.buffer as SharedArrayBuffer
  expect(memory).toBeInstanceOf(SharedArrayBuffer)
  const first = pixelValues.data.slice()
  const two = { epoch: 1, place: 0, indices: Int32Array.of(7, 8) }
  const again = await pool.make(two, memory)
  expect(again.pixelValues.data.length).toBe((first.length * 2) / 3)
  // The same memory on this side too: what the worker wrote is seen through the view from before.
  expect(pixelValues.data.subarray(0, again.pixelValues.data.length)).toEqual(again.pixelValues.data)
  const small = await pool.make(request, again.pixelValues.data.buffer.slice(0, 8) as SharedArrayBuffer)
  expect(small.pixelValues.data).toEqual(first)
})
