/** One API key with fifty times the requests of another: it is limited to its rate, and the other is not slowed. */

import { expect, test } from 'bun:test'
import { median } from '@vitral/core/statistics'
import { images, post } from '../support/requests.ts'
import { startedServer } from '../support/started-server.ts'

const rate = { requestsPerSecond: 20, burst: 20 }
const sha256 = (key: string): string => new Bun.CryptoHasher('sha256').update(key).digest('hex')

test('500 requests a second of one API key do not slow 10 a second of another', async () => {
  const keys = ['noisy', 'quiet'].map(name => ({ name, sha256: sha256(name) }))
  const server = await startedServer({ log: false, auth: { keys }, rateLimit: { perKey: rate } })
  const classify = new URL('v1/models/tiny/classify', server.url)
  const ask = async (key: string): Promise<{ status: number; milliseconds: number }> => {
    const started = performance.now()
    const { status } = await fetch(classify, post(images.jpeg, { authorization: `Bearer ${key}` }))
    return { status, milliseconds: performance.now() - started }
  }
  /** One each tenth of a second, or several each fiftieth, whatever comes back. */
  const askFor = async (seconds: number, key: string, each: number) => {
    const answers: ReturnType<typeof ask>[] = []
    const started = performance.now()
    for (let tick = 0; tick < seconds * 50; tick++) {
      await Bun.sleep(started + tick * 20 - performance.now())
      if (tick % 5 === 0 || each > 1) answers.push(...Array.from({ length: each }, () => ask(key)))
    }
    return { answers: await Promise.all(answers), seconds: (performance.now() - started) / 1000 }
  }
  await ask('quiet')
  await ask('noisy')
  const alone = await askFor(1.5, 'quiet', 1)
  await Bun.sleep(1000)
  const [noisy, quiet] = await Promise.all([askFor(3, 'noisy', 10), askFor(3, 'quiet', 1)])
  const times = ({ answers }: typeof quiet): number[] => answers.map(({ milliseconds }) => milliseconds)
  expect(noisy.answers.length).toBe(50 * quiet.answers.length)
  expect(quiet.answers.filter(({ status }) => status !== 200)).toEqual([])
  expect(median(times(quiet))).toBeLessThan(2 * median(times(alone)) + 10)
  const taken = noisy.answers.filter(({ status }) => status === 200).length
  expect(taken).toBeLessThanOrEqual(rate.burst + rate.requestsPerSecond * noisy.seconds + 1)
  expect(taken).toBeGreaterThanOrEqual(rate.burst)
  expect(noisy.answers.filter(({ status }) => status === 429).length).toBe(noisy.answers.length - taken)
  expect(await server.stop()).toBe(0)
}, 30_000)
