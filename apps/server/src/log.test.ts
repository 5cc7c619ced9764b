/** A flood of log lines, and a reader that does not read: the server goes on, and reports the dropped lines. */
import { afterEach, expect, test } from 'bun:test'
import { type Line, type StartedServer, startedServer } from '../test/support/started-server.ts'

let server: StartedServer | undefined
afterEach(() => server?.kill())

async function start(variables: Record<string, string>): Promise<StartedServer> {
  server = await startedServer({}, { variables, keepLines: true })
  return server
}

/** All lines until the server ends. */
async function readAll({ lines }: StartedServer): Promise<Line[]> {
  const seen: Line[] = []
  for await (const line of lines) seen.push(line)
  return seen
}

const countLeftOut = (seen: readonly Line[]): number => seen.reduce((sum, { lines = 0 }) => sum + Number(lines), 0)

const secret = 'body-bytes-of-nobody-else'
/** Requests that fail, with a body. */
async function flood({ url }: StartedServer, count: number): Promise<number> {
  let answered = 0
  const client = async (): Promise<void> => {
    for (let i = 0; i < count / 10; i++) {
      const response = await fetch(`${url}v1/models/tiny/classify?i=${i}`, { method: 'POST', body: secret })
      await response.text()
      answered += Number(response.status >= 400 && response.status < 500)
    }
  }
  await Promise.all(Array.from({ length: 10 }, client))
  return answered
}

test('the log writes as many of ten thousand errors as its limit allows, and one line that counts the others', async () => {
  const server = await start({ LOG_LINES: '50' })
  const started = performance.now()
  const reading = readAll(server)
  expect(await flood(server, 10_000)).toBe(10_000)
  const seconds = (performance.now() - started) / 1000
  await Bun.sleep(1100)
  await fetch(`${server.url}nowhere`)
  await server.stop()
  const seen = await reading
  const requests = seen.filter(({ message }) => message === 'request')
  expect(requests.length).toBeLessThanOrEqual(50 * (Math.ceil(seconds) + 3))
  expect(requests.length + countLeftOut(seen)).toBe(10_001)
  expect(JSON.stringify(seen)).not.toContain(secret)
})

test('a log without a reader blocks no answers, and reports the dropped lines afterwards', async () => {
  const server = await start({ LOG_LINES: '1000000' })
  expect(await flood(server, 10_000)).toBe(10_000)
  expect((await fetch(`${server.url}v2/health/live`)).status).toBe(200)
  const reading = readAll(server)
  await Bun.sleep(500)
  await fetch(`${server.url}nowhere`) // a line of its own, before which it says so
  await server.stop()
  const seen = await reading
  const leftOut = countLeftOut(seen)
  expect(leftOut).toBeGreaterThan(0)
  expect(seen.filter(({ message }) => message === 'request').length + leftOut).toBe(10_002)
}, 60_000)

test('a request is one log line, whatever control characters its path, id and names have', async () => {
  const { url, lines } = await start({})
  const read = async (): Promise<Line | undefined> => (await lines.next()).value
  const codes = ['\r\n{"message":"forged"}', '\u2028', '\u2029', '\u001b[31m', '\u009b31m', '\u0085', '\u007f']
  for (const code of codes) {
    const path = encodeURIComponent(code)
    const headers = { 'x-request-id': 'a b\tc', 'content-type': 'application/json' }
    const body = JSON.stringify({ id: code, inputs: [] })
    const response = await fetch(`${url}v2/models/${path}/infer?x=${path}`, { method: 'POST', headers, body })
    expect(response.status).toBe(400)
    for (const [, value] of response.headers) expect(value).toMatch(/^[\x20-\x7e]*$/)
  }
  await fetch(`${url}nowhere`)
  for (const _ of codes) {
    const line = await read()
    expect(line?.message).toBe('request')
    expect(line?.requestId).toMatch(/^[\w-]+$/)
    expect(line?.text).toMatch(/^[\x20-\x7e]*$/)
  }
  expect((await read())?.path).toBe('/nowhere')
})
