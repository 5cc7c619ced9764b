/** A flood of lines, and a reader that does not read: the server answers on, and says what it left out. */
import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'

const program = join(import.meta.dir, '../test/server-process.ts')
let server: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | undefined
afterEach(() => server?.kill('SIGKILL'))

interface Line {
  message: string
  url?: string
  lines?: number
  path?: string
  requestId?: string
  /** The line itself. */
  text: string
}

async function start(env: Record<string, string>): Promise<{ url: string; read: () => Promise<Line | undefined> }> {
  server = Bun.spawn([process.execPath, program], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, ...env },
  })
  const lines = linesOf(server.stdout)
  const read = async () => (await lines.next()).value
  for (;;) {
    const line = await read()
    if (line?.message === 'listening') return { url: String(line.url), read }
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Line, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield { ...JSON.parse(line), text: line } as Line
  }
  return undefined
}

const secret = 'body-bytes-of-nobody-else'
/** Requests that fail, with a body. */
async function flood(url: string, count: number): Promise<number> {
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

test('ten thousand errors are as many lines as are allowed, and one that counts the others', async () => {
  const { url, read } = await start({ LOG_LINES: '50' })
  const started = performance.now()
  const flooding = flood(url, 10_000)
  const seen: Line[] = []
  const reading = (async () => {
    for (let line = await read(); line; line = await read()) seen.push(line)
  })()
  expect(await flooding).toBe(10_000)
  const seconds = (performance.now() - started) / 1000
  await Bun.sleep(1100)
  await fetch(`${url}nowhere`)
  server?.kill('SIGTERM')
  await reading
  const requests = seen.filter(({ message }) => message === 'request')
  expect(requests.length).toBeLessThanOrEqual(50 * (Math.ceil(seconds) + 3))
  const leftOut = seen.reduce((sum, { lines = 0 }) => sum + lines, 0)
  expect(requests.length + leftOut).toBe(10_001)
  expect(JSON.stringify(seen)).not.toContain(secret)
})

test('while nobody reads all are answered, and afterwards it says how many lines are missing', async () => {
  const { url, read } = await start({ LOG_LINES: '1000000' })
  expect(await flood(url, 10_000)).toBe(10_000)
  expect((await fetch(`${url}v2/health/live`)).status).toBe(200)
  const seen: Line[] = []
  const reading = (async () => {
    for (let line = await read(); line; line = await read()) seen.push(line)
  })()
  await Bun.sleep(500)
  await fetch(`${url}nowhere`) // a line of its own, before which it says so
  server?.kill('SIGTERM')
  await reading
  const leftOut = seen.reduce((sum, { lines = 0 }) => sum + lines, 0)
  expect(leftOut).toBeGreaterThan(0)
  expect(seen.filter(({ message }) => message === 'request').length + leftOut).toBe(10_002)
}, 60_000)

test('one request is one line, whatever ends lines or colours terminals in its path, id and names', async () => {
  const { url, read } = await start({})
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
