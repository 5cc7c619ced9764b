/** Crashes, hangs and non-finite values in worker processes: other requests do not suffer. */
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

test('an image that makes the model throw harms no other image of its batch', async () => {
  const results = await inOneBatch([0, 0, 0, FAULTS.throw, 0, 0, 0, 0])
  expect(codes(results)).toEqual([...others(3), 'model_failed', ...others(4)])
  expect(events).toContainEqual(expect.objectContaining({ event: 'batch', size: 8, error: 'model_failed' }))
  expect(failures()).toEqual([])
})

test('a request that is cancelled during the retry of a failed batch is not computed', async () => {
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

test('non-finite values are an error of their own image only', async () => {
  expect(codes(await inOneBatch([0, FAULTS.nan, 0]))).toEqual(['answered', 'input_overflows', 'answered'])
})

test('outputs that cannot be matched to their inputs are discarded', async () => {
  expect(codes(await inOneBatch([0, 0, FAULTS.wrongCount]))).toEqual(Array(3).fill('worker_failed'))
  expect(failures()).toEqual(['it returned 2 outputs for 3 inputs'])
})

test('a killed worker is restarted and answers what waited', async () => {
  const dying = run(FAULTS.die)
  const waiting = Array.from({ length: 20 }, () => run(0))
  await expect(dying).rejects.toMatchObject({ code: 'worker_failed', retryAfter: 1 })
  expect(codes(await Promise.allSettled(waiting))).toEqual(others(20))
  expect(failures()).toEqual(['it was killed by SIGKILL'])
})

test('a hanging worker is killed and restarted', async () => {
  await expect(run(FAULTS.hang)).rejects.toMatchObject({ code: 'worker_failed' })
  expect(failures()).toEqual(['it did not answer within 2000 ms'])
  expect(engine.ready()).toBe(false)
})

test('requests that wait for a hanging model fail at the queue’s limit, without an invitation to retry', async () => {
  const happened: EngineEvent[] = []
  const hurried = await createEngine({
    models: [{ name: 'tiny', folder, backend: 'cpu', queueSize: 300 }],
    modelModule: fileURLToPath(new URL('../../test/support/faulty-model.ts', import.meta.url)),
    // The watchdog never ends the worker here: what fails does so by its own limit.
    watchdog: 600_000,
    queueTimeout: 1500,
    timeout: 60_000,
    backoff: 10,
    onEvent: event => happened.push(event),
  })
  const failed = (): string[] => happened.flatMap(event => (event.event === 'worker_failed' ? [event.reason] : []))
  for (let i = 0; i < 5; i++) await run(0, hurried)
  const hanging = hurried.run({ ...request(FAULTS.hang), timeout: 3000 })
  hanging.catch(() => {}) // it may fail before it is awaited
  while (hurried.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = await Promise.allSettled(Array.from({ length: 200 }, () => run(0, hurried)))
  expect(codes(answers)).toEqual(Array(200).fill('model_hangs'))
  await expect(hanging).rejects.toMatchObject({ code: 'deadline_exceeded' })
  expect(hurried.ready()).toBe(true)
  expect(failed()).toEqual([])
  process.kill(hurried.processes()[1] as number, 'SIGKILL')
  while (failed().length === 0) await Bun.sleep(10)
  while (!hurried.ready()) await Bun.sleep(10)
  expect((await run(0, hurried)).outputs).toHaveLength(1)
  await hurried.close()
}, 60_000)

test('inputs that overflow never make the model unready', async () => {
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => run(FAULTS.nan)))
  expect(codes(results)).toEqual(Array(40).fill('input_overflows'))
  expect(engine.ready()).toBe(true)
  expect(failures()).toEqual([])
})

test('a model that gives non-finite values for a known good input is reloaded', async () => {
  await expect(run(FAULTS.sicken)).rejects.toMatchObject({ code: 'non_finite_output' })
  expect(engine.ready()).toBe(false)
  expect(failures()).toEqual(['its model gives non-finite values'])
  expect((await run(0)).outputs).toHaveLength(1)
  expect(engine.ready()).toBe(true)
})

test('finite values that overflow in a real model are an error of their input only', async () => {
  const huge = { pixelValues: new Float32Array(PIXELS).map((_, i) => (i % 2 ? 3e38 : -3e38)) }
  const ask = (input: EngineRequest['inputs'][number]) => engine.run({ ...request(0), inputs: [input] })
  const busy = run(FAULTS.delay + 100)
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  const answers = Promise.allSettled([run(0), ...Array.from({ length: 32 }, () => ask(huge)), run(0)])
  await busy
  expect(codes(await answers)).toEqual(['answered', ...Array(32).fill('input_overflows'), 'answered'])
  expect(engine.ready()).toBe(true)
})

test('a killed decoder is restarted, and only its own images fail', async () => {
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
  expect(failures()).toEqual(['it was killed by SIGKILL'])
})

test('decoders that keep crashing are restarted', async () => {
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

test('other workers of a model go on while one hangs', async () => {
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

test('a model whose workers keep crashing is failed until they run again', async () => {
  writeFileSync(join(folder, 'die'), '')
  await expect(run(FAULTS.die)).rejects.toMatchObject({ code: 'worker_failed' })
  while (engine.models()[0]?.state !== 'failed') await Bun.sleep(10)
  expect(engine.ready()).toBe(false)
  expect(engine.models()[0]?.error).toBe('Its workers keep crashing.')
  await expect(run(0)).rejects.toMatchObject({ code: 'model_failed' })
  rmSync(join(folder, 'die'))
  while (engine.models()[0]?.state === 'failed') await Bun.sleep(10)
  expect(failures().length).toBeGreaterThanOrEqual(4)
  expect(failures()[1]).toContain('it exited with 4')
})
