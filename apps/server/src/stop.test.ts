/**
 * The end of a whole server process: what it has accepted is answered, and it goes once nothing is left to do, not when it at
 * last must. STOPS=20 in the environment stops it so many times under load.
 */
import { afterAll, expect, test } from 'bun:test'
import { images, post } from '../test/requests.ts'
import { startedServer, startedWithModel } from '../test/started-server.ts'
import { removeFolders, tinyModel } from '../test/tiny-model.ts'

const stops = Number(process.env.STOPS ?? 2)

afterAll(removeFolders)

test('a server without work ends well before its time to drain is over', async () => {
  const server = await startedWithModel(await tinyModel())
  const start = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - start).toBeLessThan(7000) // of 10,000 milliseconds; it takes a tenth of a second
}, 60_000)

test.each(Array.from({ length: stops }, (_, i) => i + 1))(
  'stop %i under 50 requests a second loses none of them',
  async () => {
    const server = await startedServer(
      { log: false, timeouts: { drainDelayMilliseconds: 500 } },
      { variables: { DELAY: '100' } },
    )
    const classify = new URL('v1/models/tiny/classify', server.url)
    const send = async (): Promise<number | string> => {
      try {
        return (await fetch(classify, { ...post(images.jpeg), keepalive: false })).status
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error)
      }
    }
    const sent: Promise<number | string>[] = []
    const sending = setInterval(() => sent.push(send()), 20)
    await Bun.sleep(700)
    const began = performance.now()
    const stopped = server.stop()
    // Before it refuses anything it says so to who may send others elsewhere.
    let ready = 200
    while (ready === 200) ready = (await fetch(new URL('v2/health/ready', server.url), { keepalive: false })).status
    expect(ready).toBe(503)
    expect(await stopped).toBe(0)
    expect(performance.now() - began).toBeLessThan(10_000)
    await Bun.sleep(100)
    clearInterval(sending)
    const outcomes = await Promise.all(sent)
    const refused = outcomes.indexOf('ECONNREFUSED')
    expect(refused).toBeGreaterThan(20)
    expect(new Set(outcomes.slice(0, refused))).toEqual(new Set([200]))
    expect(new Set(outcomes.slice(refused))).toEqual(new Set(['ECONNREFUSED']))
  },
  60_000,
)
