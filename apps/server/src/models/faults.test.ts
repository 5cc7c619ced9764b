/** What native code and bad luck do to a process, and that nobody else notices. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { FAULTS, inputWith } from '../../test/support/faults.ts'
import { PIXELS, removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import type { EngineRequest, EngineResult, ManagedEngine } from '../engine.ts'
import type { EngineEvent } from '../engine-events.ts'
import { createEngine } from './create-engine.ts'

let folder: string
let engine: ManagedEngine
let events: EngineEvent[] = []

const create = (workers = 1): Promise<ManagedEngine> =>
  createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu', workers }],
    modelModule: fileURLToPath(new URL('../../test/support/faulty-model.ts', import.meta.url)),
    watchdog: 2000,
    timeout: 60_000,
    queueTimeout: 60_000,
    backoff: 10,
    onEvent: event => events.push(event),
  })

beforeAll(async () => {
  folder = await tinyModel()
  engine = await create()
})
afterAll(async () => {
  await engine.close()
  removeFolders()
})
beforeEach(() => {
  events = []
})
afterEach(async () => {
  while (!engine.ready()) await Bun.sleep(10)
  expect((await run(0)).outputs).toHaveLength(1)
  expect(engine.load()).toEqual([{ model: 'tiny', queued: 0, running: 0 }])
})

const request = (first: number): EngineRequest => ({ model: 'tiny', task: 'classify', inputs: [inputWith(first)] })
const run = (first: number, on = engine): Promise<EngineResult> => on.run(request(first))
/** Requests that are computed as one batch: they come while the process is busy. */
async function inOneBatch(firsts: readonly number[]): Promise<PromiseSettledResult<EngineResult>[]> {
  const busy = run(FAULTS.delay + 100)
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = firsts.map(first => run(first))
  await busy
  return await Promise.allSettled(answers)
}
const codes = (results: readonly PromiseSettledResult<EngineResult>[]): string[] =>
  results.map(result => (result.status === 'fulfilled' ? 'answered' : result.reason.code))
const others = (length: number): string[] => Array(length).fill('answered')
const failures = (): string[] => events.flatMap(event => (event.event === 'worker_failed' ? [event.reason] : []))

test('one image that makes the model throw harms no other of its batch', async () => {
  const results = await inOneBatch([0, 0, 0, FAULTS.throw, 0, 0, 0, 0])
  expect(codes(results)).toEqual([...others(3), 'model_failed', ...others(4)])
  expect(events).toContainEqual(expect.objectContaining({ event: 'batch', size: 8, error: 'model_failed' }))
  expect(failures()).toEqual([])
})

test('who leaves while a failed batch is computed one by one is not computed', async () => {
  const busy = run(FAULTS.delay + 100)
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  const client = new AbortController()
  const leaving = () => engine.run({ ...request(0), signal: client.signal })
  const answers = [run(FAULTS.delay + 100), run(FAULTS.throw), leaving(), run(0)]
  const settled = Promise.allSettled(answers)
  await busy
  while (!events.some(event => event.event === 'batch' && event.error)) await Bun.sleep(1)
  client.abort()
  expect(codes(await settled)).toEqual(['answered', 'model_failed', 'cancelled', 'answered'])
  expect(events.flatMap(event => (event.event === 'batch' ? [event.size] : []))).toEqual([1, 4, 1, 1, 1])
})

test('values that are no numbers are an error, of their image alone', async () => {
  expect(codes(await inOneBatch([0, FAULTS.nan, 0]))).toEqual(['answered', 'input_overflows', 'answered'])
})

test('answers that cannot be matched to their images are given to nobody', async () => {
  expect(codes(await inOneBatch([0, 0, FAULTS.wrongCount]))).toEqual(Array(3).fill('worker_failed'))
  expect(failures()).toEqual(['it gave 2 answers to 3 images'])
})

test('a process that is killed is replaced; what waited is answered by the next', async () => {
  const dying = run(FAULTS.die)
  const waiting = Array.from({ length: 20 }, () => run(0))
  await expect(dying).rejects.toMatchObject({ code: 'worker_failed', retryAfter: 1 })
  expect(codes(await Promise.allSettled(waiting))).toEqual(others(20))
  expect(failures()).toEqual(['it was ended by SIGKILL'])
})

test('a process that hangs is killed and replaced', async () => {
  await expect(run(FAULTS.hang)).rejects.toMatchObject({ code: 'worker_failed' })
  expect(failures()).toEqual(['it did not answer within 2000 ms'])
  expect(engine.ready()).toBe(false)
})

test('who waits for a model that hangs is answered at the queue’s limit, which is no promise as when others are before', async () => {
  const watchdog = 2000
  const hurried = await createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu', queueSize: 300 }],
    modelModule: fileURLToPath(new URL('../../test/support/faulty-model.ts', import.meta.url)),
    watchdog,
    queueTimeout: 500,
    timeout: 1000,
    backoff: 10,
  })
  for (let i = 0; i < 5; i++) await run(0, hurried)
  const started = performance.now()
  const hanging = run(FAULTS.hang, hurried)
  while (hurried.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = await Promise.allSettled(Array.from({ length: 200 }, () => run(0, hurried)))
  expect(codes(answers)).toEqual(Array(200).fill('model_hangs'))
  expect(performance.now() - started).toBeLessThan(500 + 500)
  await expect(hanging).rejects.toMatchObject({ code: 'deadline_exceeded' })
  expect(performance.now() - started).toBeLessThan(1000 + 500)
  while (hurried.ready()) await Bun.sleep(10)
  expect(performance.now() - started).toBeLessThan(watchdog + 1000)
  while (!hurried.ready()) await Bun.sleep(10)
  expect((await run(0, hurried)).outputs).toHaveLength(1)
  await hurried.close()
}, 30_000)

test('no number of inputs that overflow makes the model one that is not ready', async () => {
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => run(FAULTS.nan)))
  expect(codes(results)).toEqual(Array(40).fill('input_overflows'))
  expect(engine.ready()).toBe(true)
  expect(failures()).toEqual([])
})

test('a model that computes no numbers from its own input either is loaded anew', async () => {
  await expect(run(FAULTS.sicken)).rejects.toMatchObject({ code: 'non_finite_output' })
  expect(engine.ready()).toBe(false)
  expect(failures()).toEqual(['its model computes values that are no finite numbers'])
  expect((await run(0)).outputs).toHaveLength(1)
  expect(engine.ready()).toBe(true)
})

test('finite values that overflow in a real model are their input’s error, and its neighbours are answered', async () => {
  const huge = { pixelValues: new Float32Array(PIXELS).map((_, i) => (i % 2 ? 3e38 : -3e38)) }
  const ask = (input: EngineRequest['inputs'][number]) => engine.run({ ...request(0), inputs: [input] })
  const busy = run(FAULTS.delay + 100)
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = Promise.allSettled([run(0), ...Array.from({ length: 32 }, () => ask(huge)), run(0)])
  await busy
  expect(codes(await answers)).toEqual(['answered', ...Array(32).fill('input_overflows'), 'answered'])
  expect(engine.ready()).toBe(true)
})

test('a decoder that is killed is replaced, and harms the images alone that it had', async () => {
  const [decoder] = engine.processes() as [number]
  const image = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  const ask = () => engine.run({ model: 'tiny', task: 'classify', inputs: [{ image }] })
  const decoding = ask()
  await Bun.sleep(1) // it is on its way, and takes far longer
  process.kill(decoder, 'SIGKILL')
  await expect(decoding).rejects.toMatchObject({ code: 'worker_failed' })
  expect((await ask()).outputs).toHaveLength(1)
  expect(failures()).toEqual(['it was ended by SIGKILL'])
})

test('decoders that end again and again are there again afterwards', async () => {
  for (let i = 0; i < 5; i++) {
    const [decoder] = engine.processes() as [number]
    process.kill(decoder, 'SIGKILL')
    while (engine.processes().length < 2 || engine.processes()[0] === decoder) await Bun.sleep(5)
  }
  const image = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  expect((await engine.run({ ...request(0), inputs: [{ image }] })).outputs).toHaveLength(1)
})

test('the other processes of the model go on meanwhile', async () => {
  const pair = await create(2)
  const hanging = run(FAULTS.hang, pair)
  while (pair.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => run(0, pair)))
  expect(codes(answers)).toEqual(others(20))
  expect(failures()).toEqual([])
  await expect(hanging).rejects.toMatchObject({ code: 'worker_failed' })
  expect(pair.ready()).toBe(true)
  await pair.close()
})

test('processes that end again and again are a failed model, until they do no more', async () => {
  writeFileSync(join(folder, 'die'), '')
  await expect(run(FAULTS.die)).rejects.toMatchObject({ code: 'worker_failed' })
  while (engine.models()[0]?.state !== 'failed') await Bun.sleep(10)
  expect(engine.ready()).toBe(false)
  expect(engine.models()[0]?.error).toBe('Its processes end again and again.')
  await expect(run(0)).rejects.toMatchObject({ code: 'model_failed' })
  rmSync(join(folder, 'die'))
  while (engine.models()[0]?.state === 'failed') await Bun.sleep(10)
  expect(failures().length).toBeGreaterThanOrEqual(4)
  expect(failures()[1]).toContain('it exited with 4')
})
