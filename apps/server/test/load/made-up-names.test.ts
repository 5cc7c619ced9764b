/**
 * Names that clients make up, by the thousands: neither metrics nor rate limits grow with them. MADE_UP_NAMES=1000000 in the
 * environment goes further: that many addresses, and a tenth of it in requests.
 */
import { expect, test } from 'bun:test'
import { createRateLimiter } from '../../src/middleware/rate-limit.ts'
import { randomFrom } from '../support/random.ts'
import { images, post, start } from '../support/requests.ts'

const names = Number(process.env.MADE_UP_NAMES ?? 50_000)
const KiB = 1024

const random = randomFrom(1)
const name = (): string => Math.floor(random() * 2 ** 40).toString(36)
const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T

test(`metrics do not grow by ${names / 10} requests with unknown paths, methods, models, agents and keys`, async () => {
  const { app } = start({ rateLimit: { perAddress: { requestsPerSecond: 1e6, burst: 1e6 }, trustProxy: true } })
  const paths = [
    () => `/${name()}`,
    () => `/v1/models/${name()}/classify`,
    () => `/v1/models/tiny/${name()}`,
    () => `/models/${name()}`,
    () => `/v2/models/${name()}/versions/${name()}/infer`,
    () => `/v1/models/tiny/classify?${name()}=${name()}`,
  ]
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']
  for (let i = 0; i < names / 10; i++) {
    const headers = {
      'user-agent': name(),
      authorization: `Bearer ${name()}`,
      'x-request-id': name(),
      'x-forwarded-for': name(),
    }
    const method = oneOf(methods)
    const init = method === 'POST' ? post(images.jpeg, headers) : { method, headers }
    await (await app.request(oneOf(paths)(), init)).arrayBuffer()
  }
  const times: number[] = []
  let text = ''
  for (let i = 0; i < 9; i++) {
    const started = performance.now()
    text = await (await app.request('/metrics')).text()
    times.push(performance.now() - started)
  }
  expect(text.split('\n').filter(line => line && !line.startsWith('#')).length).toBeLessThanOrEqual(300)
  expect(text.length).toBeLessThanOrEqual(100 * KiB)
  expect(Math.min(...times)).toBeLessThan(20) // milliseconds; what else the machine does only adds to it
}, 600_000)

test(`a rate limiter remembers ${names} addresses up to its limit, and still limits each of them`, () => {
  const rate = { requestsPerSecond: 5, burst: 10 }
  const entries = 10_000
  const seconds = names / 100
  let now = 0
  const limiter = createRateLimiter(rate, entries, () => now)
  let admitted = 0
  for (let i = 0; i < names; i++) {
    now = (seconds * i) / names
    limiter.take(`10.${name()}`)
    if (limiter.size > entries) throw new Error(`${limiter.size} are remembered.`)
    if (limiter.take('10.0.0.1') === 0) admitted++
  }
  const allowed = rate.burst + rate.requestsPerSecond * seconds
  expect(Math.abs(admitted - allowed)).toBeLessThanOrEqual(0.02 * allowed)
  expect(limiter.size).toBe(entries)
}, 600_000)
