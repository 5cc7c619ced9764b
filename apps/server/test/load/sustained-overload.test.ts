/**
 * Sustained overload, four times the capacity: the server answers as many requests as at its best, none of them late, and
 * recovers afterwards. OVERLOAD_SECONDS=60 in the environment goes on for a minute.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { createEngine } from '../../src/models/create-engine.ts'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { FAULTS, inputWith } from '../support/faults.ts'
import { post } from '../support/requests.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

const seconds = Number(process.env.OVERLOAD_SECONDS ?? 6)
/** Milliseconds of a batch, whatever is in it: long, so that a busy machine adds little to it. */
const batchTime = 800
const maxBatchSize = 10
const queueTimeout = 2000
const perSecond = (4 * maxBatchSize * 1000) / batchTime

let server: RunningServer
beforeAll(async () => {
  const engine = await createEngine({
    models: [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu', maxBatchSize }],
    modelModule: fileURLToPath(new URL('../support/faulty-model.ts', import.meta.url)),
    queueTimeout,
  })
  server = await startServer({ port: 0, log: false }, { engine })
}, 60_000)
afterAll(async () => {
  await server.stop()
  removeFolders()
}, 60_000)

interface Sent {
  status: number
  milliseconds: number
  /** Time by performance.now(). */
  answered: number
  retryAfter: string | null
}

const pixels = new Uint8Array(inputWith(FAULTS.delay + batchTime).pixelValues.buffer)
const head = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' }

async function send(): Promise<Sent> {
  const started = performance.now()
  const response = await fetch(new URL('v2/models/tiny/infer', server.url), post(pixels, head))
  await response.arrayBuffer()
  const answered = performance.now()
  const retryAfter = response.headers.get('retry-after')
  return { status: response.status, milliseconds: answered - started, answered, retryAfter }
}

/** One after the other. */
async function sendInTurn(count: number): Promise<Sent[]> {
  const sent: Sent[] = []
  while (sent.length < count) sent.push(await send())
  return sent
}

/** Whatever comes back. */
async function sendAtRate(): Promise<Sent[]> {
  const sent: Promise<Sent>[] = []
  const start = performance.now()
  for (let i = 0; i < perSecond * seconds; i++) {
    await Bun.sleep(start + (i * 1000) / perSecond - performance.now())
    sent.push(send())
  }
  return await Promise.all(sent)
}

const isAnswered = ({ status }: Sent): boolean => status === 200
/** The time that so much of them took at most. */
const quantile = (sent: readonly Sent[], share: number): number => {
  const times = sent.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  return times[Math.ceil(share * times.length) - 1] as number
}
/** Answers a second, in the time from the first of them to the last. */
const pace = (sent: readonly Sent[]): number => {
  const times = sent.filter(isAnswered).map(({ answered }) => answered)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  // Those of the first batch were computed before that time.
  const counted = times.filter(time => time > first + batchTime / 2).length
  return (1000 * counted) / (last - first)
}

test(`the server under four times its capacity for ${seconds} seconds answers as many as at its best`, async () => {
  const alone = await sendInTurn(2)
  expect(alone.every(isAnswered)).toBe(true)
  const batch = quantile(alone, 0.5)

  const clients = Array.from({ length: 2 * maxBatchSize }, () => sendInTurn(3))
  const best = pace((await Promise.all(clients)).flat())

  const sent = await sendAtRate()
  const over = performance.now()
  const answered = sent.filter(isAnswered)
  for (const { status, retryAfter } of sent.filter(sent => !isAnswered(sent))) {
    expect([429, 503]).toContain(status)
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
  }
  expect(answered.length).toBeLessThan(sent.length / 3) // it was an overload
  expect(pace(sent)).toBeGreaterThanOrEqual(0.9 * best)
  expect(quantile(answered, 0.99)).toBeLessThanOrEqual(queueTimeout + 1.5 * batch)

  let last: Sent
  do last = await send()
  while (last.milliseconds > 1.5 * batch && performance.now() - over < 5000)
  expect(quantile([last, ...(await sendInTurn(1))], 0.99)).toBeLessThanOrEqual(1.5 * batch)
}, 180_000)
