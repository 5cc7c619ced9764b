/** Tests that need a socket: bytes as attackers send them, slow clients, and the end of a process. */
import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createFakeEngine, type FakeEngine } from '../test/support/fake-engine.ts'
import { images, post } from '../test/support/requests.ts'
import { startedServer } from '../test/support/started-server.ts'
import type { ConfigInput } from './config.ts'
import { type RunningServer, startServer } from './serve.ts'

const running: RunningServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

async function serve(config: ConfigInput = {}): Promise<{ server: RunningServer; engine: FakeEngine; classify: URL }> {
  const engine = createFakeEngine()
  const server = await startServer({ port: 0, log: false, ...config }, { engine })
  running.push(server)
  return { server, engine, classify: new URL('v1/models/tiny/classify', server.url) }
}

/** Sends bytes as they are; gives what came back until the other side closed, or `patience` was over. */
async function raw(port: number, text: string, patience = 500): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let received = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, bytes) => {
        received += bytes.toString()
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  })
  socket.write(text)
  await Promise.race([promise, Bun.sleep(patience)])
  socket.end()
  return received
}

const statuses = (received: string): string[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status as string)

test('the server answers over a socket, also large and concurrent requests', async () => {
  const { classify, engine } = await serve()
  engine.delay = 5
  const answers = await Promise.all(Array.from({ length: 64 }, () => fetch(classify, post(images.jpeg))))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(engine.requests).toHaveLength(64)
})

test('a Content-Length beyond every route’s limit is rejected before the body', async () => {
  const { server, engine } = await serve()
  const head = `POST /v1/models/tiny/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length:`
  expect(statuses(await raw(server.port, `${head} 99999999999\r\n\r\nhello`))).toEqual(['413'])
  // Within what some route takes, but not this one.
  expect(statuses(await raw(server.port, `${head} 20000000\r\n\r\nhello`))).toEqual(['413'])
  expect(engine.requests).toEqual([])
})

test('ambiguous requests (request smuggling) are not answered twice', async () => {
  const { server, engine } = await serve()
  const inner = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const start = 'POST /v1/models/tiny/classify HTTP/1.1\r\nContent-Type: image/jpeg\r\n'
  for (const head of [
    'Host: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked',
    'Host: localhost\r\nContent-Length: 4\r\nContent-Length: 5',
    'Host: localhost\r\nContent-Length: +5',
    'Host: localhost\r\nContent-Length: -5',
    'Host: localhost\r\nTransfer-Encoding: xchunked',
    'Host: localhost\r\nContent-Length: 4\r\nTransfer-Encoding:\r\n chunked', // a line that goes on in the next
    'Host: localhost\r\nContent-Length: 4\r\nX-Note: a\r\n b',
    'Host: localhost\r\nContent-Length : 4',
    'Content-Length: 0',
  ]) {
    const answered = statuses(await raw(server.port, `${start}${head}\r\n\r\n0\r\n\r\n${inner}`))
    expect(answered.length).toBeLessThanOrEqual(1)
    expect(answered[0] ?? '400').toMatch(/^4/)
  }
  expect(engine.requests).toEqual([])
})

test('a client that closes its connection cancels its request', async () => {
  const { classify, engine } = await serve()
  engine.delay = 300
  const controller = new AbortController()
  const request = fetch(classify, { ...post(images.jpeg), signal: controller.signal }).catch(() => 'gone')
  while (engine.requests.length === 0) await Bun.sleep(5)
  controller.abort()
  expect(await request).toBe('gone')
  const signal = engine.requests[0]?.signal as AbortSignal
  for (let i = 0; i < 50 && !signal.aborted; i++) await Bun.sleep(10)
  expect(signal.aborted).toBe(true)
})

test('a client’s address is that of its socket, not what it claims', async () => {
  const rateLimit = { perAddress: { requestsPerSecond: 0.01, burst: 2 } }
  const { server } = await serve({ rateLimit })
  const ask = async (i: number) =>
    (await fetch(new URL('v2', server.url), { headers: { 'x-forwarded-for': `10.0.0.${i}` } })).status
  expect([await ask(1), await ask(2), await ask(3)]).toEqual([200, 200, 429])
})

test('an unsafe configuration is rejected at the start', async () => {
  const engine = createFakeEngine()
  await expect(startServer({ host: '0.0.0.0', port: 0 }, { engine })).rejects.toThrow('auth.keys is empty')
  await expect(startServer({ timeouts: { idleSeconds: 10 } }, { engine })).rejects.toThrow('timeouts.idleSeconds is 10')
  const { server } = await serve()
  await expect(startServer({ port: server.port }, { engine })).rejects.toThrow(
    `port ${server.port} of 127.0.0.1: it is taken`,
  )
})

describe('the server process', () => {
  test('the server finishes accepted requests after SIGTERM, and logs one line for each', async () => {
    const server = await startedServer({}, { variables: { DELAY: '500' }, keepLines: true })
    const headers = { 'x-request-id': 'one' }
    const request = fetch(new URL('v1/models/tiny/classify', server.url), post(images.jpeg, headers))
    await Bun.sleep(200)
    const stopped = server.stop()
    expect((await request).status).toBe(200)
    expect(await stopped).toBe(0)
    const lines = await Array.fromAsync(server.lines)
    expect(lines.filter(({ requestId }) => requestId === 'one')).toHaveLength(1)
    expect(lines.at(-1)).toMatchObject({ message: 'stopped', finished: true })
    await expect(fetch(server.url)).rejects.toThrow()
  })

  test('the server logs every request that it has answered before it logs that it stopped', async () => {
    const server = await startedServer({}, { variables: { DELAY: '300' }, keepLines: true })
    const ids = Array.from({ length: 20 }, (_, i) => `request-${i}`)
    const send = async (id: string): Promise<string[]> => {
      const headers = { 'content-type': 'image/jpeg', 'x-request-id': id }
      const { status } = await fetch(new URL('v1/models/tiny/classify', server.url), post(images.jpeg, headers))
      return status === 200 ? [id] : []
    }
    const sent = ids.map(send)
    await Promise.race(sent)
    const code = server.stop()
    // A request that arrives after the signal may find no server.
    const answered = (await Promise.allSettled(sent)).flatMap(result =>
      result.status === 'fulfilled' ? result.value : [],
    )
    expect(await code).toBe(0)
    const lines = await Array.fromAsync(server.lines)
    expect(answered.length).toBeGreaterThan(0)
    expect(lines.flatMap(({ requestId }) => requestId ?? [])).toEqual(expect.arrayContaining(answered))
    expect(lines.at(-1)).toMatchObject({ message: 'stopped', finished: true })
  })

  test('the server exits at once on a second signal', async () => {
    const server = await startedServer({}, { variables: { DELAY: '5000' } })
    fetch(new URL('v1/models/tiny/classify', server.url), post(images.jpeg)).catch(() => {})
    await Bun.sleep(200)
    void server.stop()
    await Bun.sleep(100)
    expect(await server.stop()).toBe(1)
  })

  test('a port in use is one line of error', async () => {
    const { server } = await serve()
    const child = Bun.spawn([process.execPath, join(import.meta.dir, '../test/support/server-process.ts')], {
      env: { ...process.env, PORT: `${server.port}` },
      stderr: 'pipe',
    })
    expect(await child.exited).toBe(1)
    expect(await new Response(child.stderr).text()).toBe(
      `The server cannot listen on port ${server.port} of 127.0.0.1: it is taken; choose another with --port.\n`,
    )
  })
})
