/** More requests than can be computed: which are accepted, which are rejected, and that unwanted ones are not computed. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { FAULTS, inputWith } from '../../test/support/faults.ts'
import { removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import type { ManagedEngine } from '../engine.ts'
import { EngineError, type EngineErrorCode, type EngineRequest, type EngineResult } from '../engine.ts'
import { PER_PROCESS } from '../workers/decoders.ts'
import { createEngine } from './create-engine.ts'

const modelModule = fileURLToPath(new URL('../../test/support/faulty-model.ts', import.meta.url))
const QUEUE = 8
const BATCH = 2

let folder: string
let engine: ManagedEngine
/** Images that were computed. */
let computed = 0

beforeAll(async () => {
  folder = await tinyModel()
  engine = await createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu', queueSize: QUEUE, maxBatchSize: BATCH }],
    modelModule,
    queueTimeout: 60_000,
    onEvent: event => {
      if (event.event === 'batch') computed += event.size
    },
  })
})
afterAll(async () => {
  await engine.close()
  removeFolders()
})
beforeEach(() => {
  computed = 0
})
afterEach(() => expect(engine.load()).toEqual([{ model: 'tiny', queued: 0, running: 0 }]))

const run = (firsts: readonly number[], options: Partial<EngineRequest> = {}): Promise<EngineResult> =>
  engine.run({ model: 'tiny', task: 'classify', inputs: firsts.map(inputWith), ...options })
const outcome = (answer: Promise<EngineResult>): Promise<EngineErrorCode | 'answered'> =>
  answer.then(
    () => 'answered',
    (error: unknown) => {
      if (error instanceof EngineError) return error.code
      throw error
    },
  )
/** An engine beside the one that the tests share: nothing is known of its pace. */
const createOther = (queueTimeout = 60_000): Promise<ManagedEngine> =>
  createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu' }],
    modelModule,
    queueTimeout,
    onEvent: event => {
      if (event.event === 'batch') computed += event.size
    },
  })
const image = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#c84' } })
  .png()
  .toBuffer()
const ask = (
  other: ManagedEngine,
  { first = 0, image, timeout }: { first?: number; image?: Uint8Array; timeout?: number } = {},
): Promise<EngineResult> =>
  other.run({ model: 'tiny', task: 'classify', inputs: [image ? { image } : inputWith(first)], timeout })
/** Stops the process that decodes. @returns what lets it go on */
async function stopDecoder(other: ManagedEngine): Promise<() => void> {
  await ask(other, { image }) // what is loaded by the first image takes its time, too
  const [decoder] = other.processes() as [number]
  process.kill(decoder, 'SIGSTOP')
  return () => process.kill(decoder, 'SIGCONT')
}
const count = <T>(values: readonly T[], value: T): number => values.filter(other => other === value).length
/** A request that keeps the process busy for so many milliseconds; resolved when it has begun. */
async function occupy(milliseconds: number): Promise<{ done: Promise<EngineResult> }> {
  const done = run([FAULTS.delay + milliseconds])
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  return { done }
}

test('an overloaded engine accepts exactly what runs and what the queue holds, and rejects the rest with Retry-After', async () => {
  const { done } = await occupy(300)
  const answers = Array.from({ length: 10 * QUEUE }, () => run([0]))
  const outcomes = Promise.all(answers.map(outcome))
  expect(engine.load()).toEqual([{ model: 'tiny', queued: QUEUE, running: 1 }])
  const refused = await answers[QUEUE]?.catch(error => error)
  expect(refused.code).toBe('queue_full')
  expect(refused.retryAfter).toBeGreaterThanOrEqual(1)
  expect(refused.retryAfter).toBeLessThanOrEqual(30)
  expect(count(await outcomes, 'answered')).toBe(QUEUE)
  expect(count(await outcomes, 'queue_full')).toBe(9 * QUEUE)
  await done
  expect(computed).toBe(1 + QUEUE)
})

test('the queue accepts all inputs of a request or none', async () => {
  const { done } = await occupy(200)
  const fitting = run(Array(QUEUE - 1).fill(0))
  expect(await outcome(run([0, 0]))).toBe('queue_full')
  const last = run([0])
  await Promise.all([done, fitting, last])
  expect(computed).toBe(1 + QUEUE)
})

test('a request that would miss its deadline behind others is rejected at once', async () => {
  for (let i = 0; i < 5; i++) await run([FAULTS.delay + 600])
  expect(await outcome(run([0], { timeout: 300 }))).toBe('answered') // a request without others before it is always tried
  for (let i = 0; i < 3; i++) await run([FAULTS.delay + 600])
  const { done } = await occupy(200)
  expect(await outcome(run([0], { timeout: 300 }))).toBe('queue_full')
  expect(await outcome(run([0], { timeout: 60_000 }))).toBe('answered')
  await done
}, 30_000)

test('a request whose deadline has passed is not computed', async () => {
  // Another engine has no batch times yet: with those of a busy machine, it would not admit these requests.
  const other = await createOther()
  const running = ask(other, { first: FAULTS.delay + 500 })
  while (other.load()[0]?.running !== 1) await Bun.sleep(1)
  const late = Array.from({ length: 4 }, () => outcome(ask(other, { timeout: 50 })))
  expect(other.load()).toEqual([{ model: 'tiny', queued: 4, running: 1 }])
  expect(await Promise.all(late)).toEqual(Array(4).fill('deadline_exceeded'))
  expect(other.load()).toEqual([{ model: 'tiny', queued: 0, running: 1 }])
  await running
  await ask(other)
  expect(computed).toBe(2)
  await other.close()
})

test('cancelled requests are not computed, and the others are answered', async () => {
  const { done } = await occupy(200)
  const clients = Array.from({ length: QUEUE }, () => new AbortController())
  const answers = clients.map(({ signal }) => outcome(run([0], { signal })))
  for (const client of clients.slice(0, QUEUE / 2)) client.abort()
  expect(engine.load()[0]).toMatchObject({ queued: QUEUE / 2 })
  const outcomes = await Promise.all(answers)
  expect(count(outcomes, 'cancelled')).toBe(QUEUE / 2)
  expect(count(outcomes, 'answered')).toBe(QUEUE / 2)
  await done
  expect(computed).toBe(1 + QUEUE / 2)
})

test('a request that is already cancelled is not accepted', async () => {
  expect(await outcome(run([0], { signal: AbortSignal.abort() }))).toBe('cancelled')
  await run([0])
  expect(computed).toBe(1)
})

test('a running request is not answered after its deadline', async () => {
  expect(await outcome(run([FAULTS.delay + 150], { timeout: 50 }))).toBe('deadline_exceeded')
  while (engine.load()[0]?.running !== 0) await Bun.sleep(5)
})

test('a request that waits too long in the queue fails', async () => {
  const impatient = await createOther(50)
  const running = ask(impatient, { first: FAULTS.delay + 300 })
  while (impatient.load()[0]?.running !== 1) await Bun.sleep(1)
  const waiting = ask(impatient)
  await expect(waiting).rejects.toMatchObject({ code: 'queue_timeout', retryAfter: 1 })
  await running
  await ask(impatient)
  expect(computed).toBe(2)
  await impatient.close()
})

test('decoding time does not count as queue time, but against the deadline', async () => {
  const queueTimeout = 100
  const hurried = await createOther(queueTimeout)
  const resume = await stopDecoder(hurried)
  const answers = [outcome(ask(hurried, { image })), outcome(ask(hurried, { image, timeout: 2 * queueTimeout }))]
  await Bun.sleep(4 * queueTimeout)
  resume()
  expect(await Promise.all(answers)).toEqual(['answered', 'deadline_exceeded'])
  await hurried.close()
})

test('a request that waits too long for a decoder fails and is not computed', async () => {
  const hurried = await createOther(300)
  const resume = await stopDecoder(hurried)
  const decoding = Array.from({ length: PER_PROCESS }, () => ask(hurried, { image }))
  const waiting = Array.from({ length: 3 }, () => ask(hurried, { image }))
  for (const { reason } of (await Promise.allSettled(waiting)) as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: 'queue_timeout', retryAfter: 1 })
  expect(hurried.load()).toEqual([{ model: 'tiny', queued: PER_PROCESS, running: 0 }])
  resume()
  const results = await Promise.all(decoding)
  expect(results.every(({ stages }) => stages.decode > 250 && stages.queue < 250)).toBe(true)
  expect((await ask(hurried, { image })).outputs).toHaveLength(1)
  expect(computed).toBe(1 + PER_PROCESS + 1)
  await hurried.close()
})
