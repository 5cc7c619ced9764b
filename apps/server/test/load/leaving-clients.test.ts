/**
 * Clients that leave while they send, wait, are computed or are answered: nothing of them stays. LEAVING_CLIENTS=500 in the
 * environment is the number that leaves each time.
 */

import { heapStats } from 'bun:jsc'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ManagedEngine } from '../../src/engine.ts'
import { createEngine } from '../../src/models/create-engine.ts'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { createFakeEngine } from '../support/fake-engine.ts'
import { FAULTS, inputWith } from '../support/faults.ts'
import { images } from '../support/requests.ts'
import { connect, requestBytes, type SocketClient } from '../support/socket-client.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

const count = Number(process.env.LEAVING_CLIENTS ?? 40)

let engine: ManagedEngine
let server: RunningServer
const rejections: unknown[] = []
const onRejection = (reason: unknown): void => void rejections.push(reason)

beforeAll(async () => {
  process.on('unhandledRejection', onRejection)
  engine = await createEngine({
    models: [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu', queueSize: count, maxBatchSize: count }],
    modelModule: fileURLToPath(new URL('../support/faulty-model.ts', import.meta.url)),
    queueTimeout: 60_000,
    watchdog: 60_000,
  })
  const timeouts = { requestMilliseconds: 60_000, idleSeconds: 120 }
  server = await startServer({ port: 0, log: false, timeouts }, { engine })
  expect(await ask()).toBe(200) // what is made by the first request is not counted
}, 60_000)
afterAll(async () => {
  expect(await server.stop()).toBe(true)
  process.off('unhandledRejection', onRejection)
  removeFolders()
}, 60_000)

interface State {
  openFiles: number
  /** Timers that run in this process, the server's. */
  timers: number
  load: ReturnType<ManagedEngine['load']>
}
function state(): State {
  Bun.gc(true)
  return {
    openFiles: readdirSync('/proc/self/fd').length,
    timers: heapStats().objectTypeCounts.Timeout ?? 0,
    load: engine.load(),
  }
}

let before: State
let clients: SocketClient[] = []
beforeEach(async () => {
  before = state()
  clients = await Promise.all(Array.from({ length: count }, () => connect(server.url)))
})
afterEach(async () => {
  // A few timers that are over may not have been collected.
  const isAsBefore = ({ openFiles, timers, load }: State): boolean =>
    openFiles <= before.openFiles && timers <= before.timers + 3 && Bun.deepEquals(load, before.load)
  for (let wait = 0; wait < 100 && !isAsBefore(state()); wait++) await Bun.sleep(50)
  const after = state()
  expect(after.load).toEqual(before.load)
  expect(after.openFiles).toBeLessThanOrEqual(before.openFiles)
  expect(after.timers).toBeLessThanOrEqual(before.timers + 3)
  expect(rejections).toEqual([])
  expect(await ask()).toBe(200)
}, 30_000)

const url = (path: string): URL => new URL(path, server.url)
const pixels = (first = 0): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new Uint8Array(inputWith(first).pixelValues.buffer))
const head = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' }
const path = 'v2/models/tiny/infer'

/** Its connection is closed: an open one would be counted. */
async function fetchOnce(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(url(path), { ...init, headers: { ...init.headers, connection: 'close' } })
  return { status: response.status, text: await response.text() }
}
/** Input whose first value tells the faulty model what to do. */
const ask = async (first = 0): Promise<number> =>
  (await fetchOnce(path, { method: 'POST', body: pixels(first), headers: head })).status

async function outcomes(outcome: string): Promise<number> {
  const { text } = await fetchOnce('metrics')
  const series = `vit_requests_total{model="tiny",outcome="${outcome}"} `
  const line = text.split('\n').find(line => line.startsWith(series))
  return Number(line?.slice(series.length) ?? 0)
}

const bytesOf = (path: string, headers: Record<string, string>, body: Uint8Array): Uint8Array =>
  requestBytes(server.url, 'POST', `/${path}`, headers, body)
const send = (bytes: Uint8Array): void => {
  for (const client of clients) client.send(bytes)
}
const leave = (): void => {
  for (const client of clients) client.leave()
}
const load = () => engine.load()[0] as ReturnType<ManagedEngine['load']>[number]

test('clients that leave while they send leave nothing behind', async () => {
  const cancelled = await outcomes('cancelled')
  send(bytesOf(path, head, pixels()).subarray(0, -100))
  await Bun.sleep(200)
  expect(load().queued).toBe(0)
  leave()
  while ((await outcomes('cancelled')) < cancelled + count) await Bun.sleep(20)
}, 30_000)

test('clients that leave while they wait leave nothing behind', async () => {
  const cancelled = await outcomes('cancelled')
  const first = ask(FAULTS.delay + 1000)
  while (load().running !== 1) await Bun.sleep(5)
  send(bytesOf(path, head, pixels()))
  while (load().queued !== count) await Bun.sleep(5)
  leave()
  while (load().queued !== 0) await Bun.sleep(5)
  expect(load().running).toBe(1)
  expect(await first).toBe(200)
  while ((await outcomes('cancelled')) < cancelled + count) await Bun.sleep(20)
}, 30_000)

test('clients that leave during computation leave nothing behind', async () => {
  const cancelled = await outcomes('cancelled')
  const first = ask(FAULTS.delay + 1000)
  while (load().running !== 1) await Bun.sleep(5)
  send(bytesOf(path, head, pixels(FAULTS.delay + 1000))) // all in the next batch
  while (load().running !== count) await Bun.sleep(5)
  expect(await first).toBe(200)
  leave()
  while ((await outcomes('cancelled')) < cancelled + count) await Bun.sleep(20)
  expect(load().running).toBe(count) // what has begun is done
}, 30_000)

test('clients that leave while they are answered leave nothing behind', async () => {
  const answering = createFakeEngine()
  // More than a system takes to send before anybody reads.
  const drawn = new Uint8Array(8 * 2 ** 20)
  const { run } = answering
  answering.run = async request => {
    const { outputs, ...rest } = await run({ ...request, draw: false })
    return { ...rest, outputs: outputs.map(output => ({ ...output, drawn })) }
  }
  const other = await startServer({ port: 0, log: false }, { engine: answering })
  const headers = { accept: 'image/png', 'content-type': 'image/jpeg' }
  const request = bytesOf('v1/models/tiny/explain', headers, images.jpeg)
  // In groups: the answers of all at once are more than memory should hold.
  for (let left = 0; left < count; left += 20) {
    const readers = Array.from({ length: Math.min(20, count - left) }, () => connect(other.url, { reads: false }))
    const leaving = await Promise.all(readers)
    for (const client of leaving) client.send(request)
    while (answering.requests.length < left + leaving.length) await Bun.sleep(5)
    await Bun.sleep(100)
    for (const client of leaving) client.leave()
  }
  const started = performance.now()
  expect(await other.stop()).toBe(true)
  expect(performance.now() - started).toBeLessThan(5000) // of 10,000 that it would wait for answers
  leave()
}, 60_000)
