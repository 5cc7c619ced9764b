import { expect, test } from 'bun:test'
import { ByteBudget } from '../../src/body/byte-budget.ts'
import { parseConfig } from '../../src/config.ts'
import { createRateLimiter } from '../../src/middleware/rate-limit.ts'
import { failure, form, images, post, start } from '../support/requests.ts'

const path = '/v1/models/tiny/classify'

test('a body that is too large is rejected by its Content-Length, or where it exceeds the limit', async () => {
  const { app, engine } = start({ limits: { imageBytes: 100_000 } })
  const declared = { ...post(images.jpeg, { 'content-length': '99999999999' }) }
  expect(await failure(await app.request(path, declared))).toEqual([413, 'body_too_large'])
  let pulled = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1000
      controller.enqueue(new Uint8Array(1000))
    },
  })
  const response = await app.request(path, { ...post(images.jpeg), body: endless })
  expect(await failure(response)).toEqual([413, 'body_too_large'])
  expect(pulled).toBeLessThan(110_000)
  expect(engine.requests).toEqual([])
})

test('a body that arrives in chunks of any size is read correctly', async () => {
  const { app, engine } = start()
  const sent = new Uint8Array(400_000).map((_, i) => i % 251)
  sent.set(images.jpeg)
  const sizes = [1, 2, 65_533, 65_536, 1, 65_537, 200_000, 3390]
  let at = 0
  const pieces = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = sizes.shift()
      if (size === undefined) return controller.close()
      controller.enqueue(sent.slice(at, at + size))
      at += size
    },
  })
  expect((await app.request(path, { ...post(images.jpeg), body: pieces })).status).toBe(200)
  expect(at).toBe(sent.length)
  expect(engine.requests[0]?.inputs).toEqual([{ image: sent }])
})

test('a compressed body is rejected', async () => {
  const { app } = start()
  const response = await app.request(
    path,
    post(new Uint8Array(Bun.gzipSync(images.jpeg)), { 'content-encoding': 'gzip' }),
  )
  expect(await failure(response)).toEqual([415, 'unsupported_encoding'])
})

test('a body that does not arrive times out', async () => {
  const { app } = start({ timeouts: { uploadMilliseconds: 30 }, limits: { imageBytes: 100 } })
  const silent = new ReadableStream({ pull: () => new Promise(() => {}) })
  const response = await app.request(path, { ...post(images.jpeg), body: silent })
  expect(await failure(response)).toEqual([408, 'upload_timeout'])
})

test('all bodies together stay within the byte budget, which is released afterwards', async () => {
  const { app, engine } = start({ limits: { totalBytes: images.jpeg.length * 2 } })
  engine.delay = 50
  const send = async () => (await app.request(path, post(images.jpeg))).status
  expect((await Promise.all([send(), send(), send()])).sort()).toEqual([200, 200, 503])
  expect(await send()).toBe(200)
  const budget = new ByteBudget(10)
  budget.take(10)
  expect(() => budget.take(1)).toThrow('reached the limit')
  budget.release(10)
  expect(budget.used).toBe(0)
})

test('malicious JSON is rejected within a moment', async () => {
  const { app, engine } = start()
  const deep = (depth: number): string => `{"inputs":${'['.repeat(depth)}${']'.repeat(depth)}}`
  const keys = `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}`
  const bodies = [
    ...[101, 10_000, 1_000_000].map(deep),
    '['.repeat(1_000_000),
    keys,
    '{"inputs":1e999}',
    ...['{}', '1', '[]'].flatMap(item =>
      ['inputs', 'outputs', 'parameters'].map(field => `{"${field}":[${Array(1_000_000).fill(item).join()}]}`),
    ),
    `{"inputs":[{"name":"image","datatype":"BYTES","shape":[${Array(1_000_000).fill('""').join()}]}]}`,
    `{"parameters":{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":[]`).join()}}}`,
    '{"inputs":"x","inputs":2}',
    '{"inputs":"\\ud800"}',
    '\ufeff{}',
  ].map(text => new TextEncoder().encode(text))
  bodies.push(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d)) // not UTF-8
  let longest = 0
  for (const path of ['/models/tiny', '/v2/models/tiny/infer'])
    for (const body of bodies) {
      // Processor time: the clock also counts what else the machine does.
      const before = process.cpuUsage()
      const response = await app.request(path, post(body, { 'content-type': 'application/json' }))
      expect(await failure(response)).toEqual([400, 'invalid_request'])
      const { user, system } = process.cpuUsage(before)
      longest = Math.max(longest, (user + system) / 1000)
    }
  expect(longest).toBeLessThan(1000) // milliseconds; of most, one or two
  expect(engine.requests).toEqual([])
})

test('a rate limiter counts by name, refills, and forgets the least recently seen', () => {
  let now = 0
  const limiter = createRateLimiter({ requestsPerSecond: 2, burst: 3 }, 100, () => now)
  expect([1, 2, 3].map(() => limiter.take('a'))).toEqual([0, 0, 0])
  expect(limiter.take('a')).toBe(0.5)
  expect(limiter.take('b')).toBe(0)
  now = 0.5
  expect(limiter.take('a')).toBe(0)
  expect(limiter.take('a')).toBeGreaterThan(0)
  for (let i = 0; i < 10_000; i++) limiter.take(`x${i}`)
  expect(limiter.size).toBe(100)
})

test('metrics count each request once, and have no labels that clients make up', async () => {
  const { app, engine } = start()
  for (let i = 0; i < 3; i++) await app.request(path, post(images.jpeg))
  await app.request(path, post(images.gif))
  engine.fail = 'queue_full'
  await app.request(path, post(images.jpeg))
  engine.fail = 'deadline_exceeded'
  await app.request(path, post(images.jpeg))
  engine.fail = new Error('x')
  await app.request(path, post(images.jpeg))
  for (let i = 0; i < 200; i++) {
    await app.request(`/v1/models/m${i}/classify`, post(images.jpeg))
    await app.request(`/x${i}`, { method: i % 2 ? 'GET' : 'PUT' })
  }
  const text = await (await app.request('/metrics')).text()
  const value = (series: string) =>
    Number(
      text
        .split('\n')
        .find(line => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    )
  const counted = ['ok', 'invalid', 'rejected', 'timeout', 'backend'].map(outcome =>
    value(`vit_requests_total{model="tiny",outcome="${outcome}"}`),
  )
  expect(counted).toEqual([3, 1, 1, 1, 1])
  expect(value('vit_requests_total{model="none",outcome="invalid"}')).toBe(200)
  expect(value('vit_request_duration_seconds_count{model="tiny"}')).toBe(7)
  expect(value('vit_images_total{model="tiny"}')).toBe(3)
  expect(value('vit_queue_depth{model="tiny"}')).toBe(0)
  expect(text.split('\n').filter(line => line && !line.startsWith('#')).length).toBeLessThan(300)
})

test('an answer has no more values than its limit, however many classes and images are requested', async () => {
  const { app, engine } = start({ limits: { answerValues: 5 } })
  const two = post(form(images.jpeg, images.png))
  expect((await app.request(`${path}?top_k=2`, two)).status).toBe(200)
  // A model of three classes answers three, even if a hundred thousand are requested.
  expect((await app.request(`${path}?top_k=100000`, post(images.jpeg))).status).toBe(200)
  expect(engine.requests).toHaveLength(2)
  const pixels = { name: 'pixel_values', datatype: 'FP32', shape: [2, 3, 2, 2], data: Array(24).fill(1) }
  const oip = (outputs: object[]) => app.request('/v2/models/tiny/infer', post({ inputs: [pixels], outputs }))
  for (const refused of [
    app.request(`${path}?top_k=3`, two),
    app.request('/v1/models/tiny/explain?top_k=3', two),
    app.request('/v1/models/tiny/embed', two),
    oip([{ name: 'logits' }]),
    oip([{ name: 'features' }]),
    oip([{ name: 'logits', parameters: { classification: 3, binary_data: true } }]),
  ])
    expect(await failure(await refused)).toEqual([422, 'too_many_outputs'])
  expect(engine.requests).toHaveLength(2)
  expect((await oip([{ name: 'features', parameters: { binary_data: true } }])).status).toBe(200)
})

test('an invalid configuration is rejected by the names of its fields', () => {
  expect(() => parseConfig({ port: 99999, limits: { imagePixels: 'x' }, prot: 1 })).toThrow(
    /port: .*; limits\.imagePixels: .*; it: .*prot/,
  )
  expect(() => parseConfig({ timeouts: { requestMilliseconds: 30_000 } })).toThrow('timeouts.idleSeconds is 30')
  expect(() => parseConfig({ models: [{ name: '../x', folder: 'x' }] })).toThrow('models.0.name')
  expect(parseConfig({}).host).toBe('127.0.0.1')
})
