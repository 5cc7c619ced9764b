/** A server whose model is busy: it reports that it lives, skips cancelled requests, and answers those of crashed workers. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import type { ConfigInput } from '../../src/config.ts'
import type { ManagedEngine } from '../../src/engine.ts'
import { createEngine } from '../../src/models/create-engine.ts'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { FAULTS, inputWith } from '../support/faults.ts'
import { failure, post } from '../support/requests.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

let engine: ManagedEngine
let server: RunningServer
async function start(
  timeouts: ConfigInput['timeouts'] = {},
): Promise<{ engine: ManagedEngine; server: RunningServer }> {
  const engine = await createEngine({
    models: [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu', maxBatchSize: 64 }],
    modelModule: fileURLToPath(new URL('../support/faulty-model.ts', import.meta.url)),
    watchdog: 50_000,
    queueTimeout: 60_000,
    backoff: 10,
  })
  const all = { requestMilliseconds: 60_000, idleSeconds: 120, ...timeouts }
  return { engine, server: await startServer({ port: 0, log: false, timeouts: all }, { engine }) }
}
beforeAll(async () => {
  ;({ engine, server } = await start())
}, 60_000)
afterAll(async () => {
  await server.stop()
  removeFolders()
}, 60_000)

/** Input whose first value tells the faulty model what to do. */
function infer(
  first: number,
  { signal, headers, on = server }: { signal?: AbortSignal; headers?: Record<string, string>; on?: RunningServer } = {},
) {
  const data = Array.from(inputWith(first).pixelValues)
  const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data }]
  return fetch(new URL('v2/models/tiny/infer', on.url), { ...post({ inputs }, headers), ...(signal && { signal }) })
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(new URL('metrics', server.url))).text()
  const line = text.split('\n').find(line => line.startsWith(`${series} `))
  return Number(line?.split(' ').at(-1) ?? 0)
}
const queued = (): Promise<number> => metric('vit_queue_depth{model="tiny"}')
const running = (): Promise<number> => metric('vit_inflight{model="tiny"}')

test('the server answers liveness checks at once while its model’s worker hangs', async () => {
  const hanging = infer(FAULTS.hang, { headers: { timeout: '1500' } })
  while ((await running()) !== 1) await Bun.sleep(5)
  const times: number[] = []
  for (let i = 0; i < 50; i++) {
    const start = performance.now()
    expect((await fetch(new URL('v2/health/live', server.url))).status).toBe(200)
    times.push(performance.now() - start)
    await Bun.sleep(5)
  }
  times.sort((a, b) => a - b)
  expect(times[25]).toBeLessThan(10)
  expect((await hanging).status).toBe(504) // by its own deadline
  process.kill(engine.processes().at(-1) as number, 'SIGKILL') // it would be taken to hang only much later
  while ((await infer(0)).status !== 200) await Bun.sleep(50)
}, 60_000)

test('requests whose clients leave the queue are counted as cancelled and not computed, and the others are answered', async () => {
  const before = await metric('vit_images_total{model="tiny"}')
  const first = infer(FAULTS.delay + 1000)
  while ((await running()) !== 1) await Bun.sleep(5)
  const clients = Array.from({ length: 200 }, () => new AbortController())
  const answers = clients.map(({ signal }) =>
    infer(0, { signal }).then(
      ({ status }) => status,
      () => 'left',
    ),
  )
  while ((await queued()) !== 200) await Bun.sleep(5)
  for (const client of clients.slice(0, 100)) client.abort()
  expect(await Promise.all(answers)).toEqual([...Array(100).fill('left'), ...Array(100).fill(200)])
  expect((await first).status).toBe(200)
  while ((await metric('vit_requests_total{model="tiny",outcome="cancelled"}')) !== 100) await Bun.sleep(5)
  expect(await metric('vit_images_total{model="tiny"}')).toBe(before + 101)
  expect([await queued(), await running()]).toEqual([0, 0])
}, 60_000)

test('fifty requests of a killed worker fail at once, and the worker is soon restarted', async () => {
  const first = infer(FAULTS.delay + 500)
  while ((await running()) !== 1) await Bun.sleep(5)
  const ended: number[] = []
  const answers = Array.from({ length: 50 }, async () => {
    const response = await infer(FAULTS.delay + 30_000)
    ended.push(performance.now())
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    return failure(response)
  })
  expect((await first).status).toBe(200)
  while ((await running()) !== 50) await Bun.sleep(5)
  const killed = performance.now()
  process.kill(engine.processes().at(-1) as number, 'SIGKILL')
  expect(await Promise.all(answers)).toEqual(Array(50).fill([503, 'worker_failed']))
  expect(Math.max(...ended) - killed).toBeLessThan(1000)
  expect((await infer(0)).status).toBe(200) // it waits for the next process
  expect(performance.now() - killed).toBeLessThan(3000 + 2000) // 2 s more than it may, for a busy machine
  expect((await fetch(new URL('v2/health/ready', server.url))).status).toBe(200)
}, 60_000)

test('the server shuts down after its drain time even if a model hangs, and answers the waiting requests', async () => {
  const drainMilliseconds = 1000
  const hanging = await start({ drainMilliseconds })
  const answers = [FAULTS.hang, 0].map(async first => failure(await infer(first, { on: hanging.server })))
  while (hanging.engine.load()[0]?.running !== 1) await Bun.sleep(5)
  const began = performance.now()
  expect(await hanging.server.stop()).toBe(false)
  // Its process has a second to end by itself, which it does not; two are for a busy machine.
  expect(performance.now() - began).toBeLessThan(drainMilliseconds + 1000 + 2000)
  expect(await Promise.all(answers)).toEqual(Array(2).fill([503, 'draining']))
}, 60_000)
