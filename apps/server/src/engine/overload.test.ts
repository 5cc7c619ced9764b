/** More than can be computed: what is accepted, what is refused, and that nothing is computed for nobody. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { FAULTS, inputWith } from '../../test/faults.ts'
import { removeFolders, tinyModel } from '../../test/tiny-model.ts'
import { createEngine, type ManagedEngine } from './create-engine.ts'
import { EngineError, type EngineErrorCode, type EngineRequest, type EngineResult } from './engine.ts'

const modelModule = fileURLToPath(new URL('../../test/faulty-model.ts', import.meta.url))
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
const count = <T>(values: readonly T[], value: T): number => values.filter(other => other === value).length
/** A request that keeps the process busy for so many milliseconds; resolved when it has begun. */
async function occupy(milliseconds: number): Promise<{ done: Promise<EngineResult> }> {
  const done = run([FAULTS.delay + milliseconds])
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  return { done }
}

/** Its pace is measured: what was slow before must not count. */
async function quicken(): Promise<void> {
  for (let i = 0; i < 40; i++) await run([0])
  computed = 0
}

test('takes what is running and what the queue holds, to the image; refuses the rest with when to come again', async () => {
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

test('takes all inputs of a request or none', async () => {
  const { done } = await occupy(200)
  const fitting = run(Array(QUEUE - 1).fill(0))
  expect(await outcome(run([0, 0]))).toBe('queue_full')
  const last = run([0])
  await Promise.all([done, fitting, last])
  expect(computed).toBe(1 + QUEUE)
})

test('refuses at once what by its pace would come too late, if others are before it', async () => {
  for (let i = 0; i < 5; i++) await run([FAULTS.delay + 100])
  expect(await outcome(run([0], { timeout: 40 }))).toBe('answered') // it is alone, so its pace is tried
  for (let i = 0; i < 3; i++) await run([FAULTS.delay + 100])
  const { done } = await occupy(200)
  expect(await outcome(run([0], { timeout: 40 }))).toBe('queue_full')
  expect(await outcome(run([0], { timeout: 60_000 }))).toBe('answered')
  await done
})

test('computes nothing whose deadline has passed', async () => {
  await quicken()
  const { done } = await occupy(200)
  const late = Array.from({ length: 4 }, () => outcome(run([0], { timeout: 50 })))
  expect(await Promise.all(late)).toEqual(Array(4).fill('deadline_exceeded'))
  expect(engine.load()[0]).toMatchObject({ queued: 0 })
  await done
  await run([0])
  expect(computed).toBe(2)
})

test('computes nothing for clients that have gone, and answers the others', async () => {
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

test('takes nothing from a client that has gone before', async () => {
  expect(await outcome(run([0], { signal: AbortSignal.abort() }))).toBe('cancelled')
  await run([0])
  expect(computed).toBe(1)
})

test('what has begun is not answered after the deadline', async () => {
  expect(await outcome(run([FAULTS.delay + 150], { timeout: 50 }))).toBe('deadline_exceeded')
  while (engine.load()[0]?.running !== 0) await Bun.sleep(5)
})

test('gives up what waits too long in the queue', async () => {
  const impatient = await createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu' }],
    modelModule,
    queueTimeout: 50,
    onEvent: event => {
      if (event.event === 'batch') computed += event.size
    },
  })
  const ask = (first: number) => impatient.run({ model: 'tiny', task: 'classify', inputs: [inputWith(first)] })
  const running = ask(FAULTS.delay + 300)
  while (impatient.load()[0]?.running !== 1) await Bun.sleep(1)
  const waiting = ask(0)
  await expect(waiting).rejects.toMatchObject({ code: 'queue_timeout', retryAfter: 1 })
  await running
  await ask(0)
  expect(computed).toBe(2)
  await impatient.close()
})

test('the time that an image is decoded is not the queue’s, and ends with the request’s own', async () => {
  const queueTimeout = 100
  const hurried = await createEngine({ models: [{ name: 'tiny', folder, backend: 'cpu' }], modelModule, queueTimeout })
  const image = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#c84' } })
    .png()
    .toBuffer()
  const ask = (timeout?: number) => hurried.run({ model: 'tiny', task: 'classify', inputs: [{ image }], timeout })
  await ask() // what is loaded by the first image takes its time, too
  const [decoder] = hurried.processes() as [number]
  process.kill(decoder, 'SIGSTOP')
  const answers = [outcome(ask()), outcome(ask(2 * queueTimeout))]
  await Bun.sleep(4 * queueTimeout)
  process.kill(decoder, 'SIGCONT')
  expect(await Promise.all(answers)).toEqual(['answered', 'deadline_exceeded'])
  await hurried.close()
})
