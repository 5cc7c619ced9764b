import { expect, test } from 'bun:test'
import { BatchQueue, type Queued } from './batch-queue.ts'

interface Item extends Queued {
  id: number
}

const item = (id: number, kind = 'plain', isWanted = true): Item => ({ id, kind, isWanted })
const items = (...ids: number[]): Item[] => ids.map(id => item(id))
const ids = (batch: Item[] | undefined): number[] | undefined => batch?.map(({ id }) => id)
const queue = (maxBatchSize = 4, maxDelay = 0): BatchQueue<Item> => new BatchQueue({ maxBatchSize, maxDelay })

test('BatchQueue gives what is there at once, oldest first, up to a batch', async () => {
  const waiting = queue()
  waiting.push(items(1, 2, 3, 4, 5))
  expect(ids(await waiting.take())).toEqual([1, 2, 3, 4])
  expect(ids(await waiting.take())).toEqual([5])
})

test('BatchQueue gives a batch to the longest waiting taker', async () => {
  const waiting = queue(2)
  const takers = [waiting.take(), waiting.take()]
  waiting.push(items(1, 2, 3))
  expect((await Promise.all(takers)).map(ids)).toEqual([[1, 2], [3]])
})

test('BatchQueue never mixes kinds, and keeps the order within each', async () => {
  const waiting = queue(3)
  waiting.push([item(1), item(2, 'explain'), item(3), item(4, 'explain'), item(5), item(6)])
  const batches = [await waiting.take(), await waiting.take(), await waiting.take()]
  expect(batches.map(ids)).toEqual([[1, 3, 5], [2, 4], [6]])
})

test('BatchQueue drops unwanted items, also those that become unwanted in the queue', async () => {
  const waiting = queue()
  const gone = item(2)
  waiting.push([item(1), gone, item(3, 'plain', false), item(4)])
  Object.assign(gone, { isWanted: false })
  expect(ids(await waiting.take())).toEqual([1, 4])
})

test('BatchQueue waits for a full batch, and not once it is full', async () => {
  const waiting = queue(3, 60_000)
  const batch = waiting.take()
  for (const id of [1, 2, 3]) waiting.push(items(id))
  expect(ids(await batch)).toEqual([1, 2, 3])
})

test('BatchQueue waits no longer than maxDelay', async () => {
  const waiting = queue(3, 30)
  const batch = waiting.take()
  waiting.push(items(1))
  setTimeout(() => waiting.push(items(2)), 1)
  expect(ids(await batch)).toEqual([1, 2])
})

test('BatchQueue gives a batch that was put back first', async () => {
  const waiting = queue(2)
  waiting.push(items(1, 2, 3, 4))
  waiting.putBack((await waiting.take()) ?? [])
  expect(ids(await waiting.take())).toEqual([1, 2])
})

test('BatchQueue.close ends present and later takers', async () => {
  const waiting = queue()
  const taker = waiting.take()
  waiting.close()
  expect(await taker).toBeUndefined()
  expect(await waiting.take()).toBeUndefined()
})
