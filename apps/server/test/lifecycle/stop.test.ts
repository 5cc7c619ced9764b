/**
 * The shutdown of a server process: accepted requests are answered, and the process exits as soon as nothing is left to do.
 * STOPS=20 in the environment stops it that many times under load.
 */
import { afterAll, expect, test } from 'bun:test'
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ignoresHangup } from '@vitral/core/hangup'
import { images, post } from '../support/requests.ts'
import { type Line, startedServer, startedWithModel } from '../support/started-server.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

const stops = Number(process.env.STOPS ?? 2)
/** Milliseconds that requests are still taken. */
const drainDelay = 500

afterAll(removeFolders)

test('an idle server exits well before its drain time', async () => {
  const server = await startedWithModel(await tinyModel())
  const start = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - start).toBeLessThan(7000) // of 10,000 milliseconds; it takes a tenth of a second
}, 60_000)

/** A model whose weights never come, as from a disk that hangs. */
async function endlessModel(): Promise<string> {
  const folder = await tinyModel()
  const weights = join(folder, 'model.safetensors')
  rmSync(weights)
  execFileSync('mkfifo', [weights])
  return folder
}

const childrenOf = (pid: number): string[] =>
  spawnSync('ps', ['--no-headers', '-o', 'stat=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(state => state !== '' && !state.startsWith('Z'))

test('SIGTERM ends a server that is loading models, and their workers', async () => {
  const folder = await endlessModel()
  const program = join(import.meta.dir, '../support/serve-folder.ts')
  const config = { timeouts: { drainMilliseconds: 3000 } }
  const server = Bun.spawn([process.execPath, program, folder], {
    env: { ...process.env, CONFIG: JSON.stringify(config) },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  // The decoders' process, and then the model's.
  while (childrenOf(server.pid).length < 2) await Bun.sleep(20)
  const { pid } = server
  server.kill('SIGTERM')
  const end = setTimeout(() => server.kill('SIGKILL'), 30_000)
  expect([await server.exited, server.signalCode]).toEqual([0, null])
  clearTimeout(end)
  expect(childrenOf(pid)).toEqual([])
  const lines = (await new Response(server.stdout).text()).trim().split('\n')
  expect(lines.map(line => JSON.parse(line).message)).toEqual(['draining', 'stopped'])
  expect(await new Response(server.stderr).text()).toBe('')
}, 60_000)

test('SIGTERM ends a server while a request waits for an on-demand model', async () => {
  const models = [{ name: 'tiny', folder: await endlessModel(), backend: 'cpu' as const, load: 'on-demand' as const }]
  const timeouts = { drainMilliseconds: 500 }
  const server = await startedWithModel('', 0, { variables: { CONFIG: JSON.stringify({ models, timeouts }) } })
  const answer = fetch(new URL('v1/models/tiny/classify', server.url), post(images.jpeg))
  while (childrenOf(server.pid).length < 2) await Bun.sleep(20)
  const stopped = server.stop()
  const outcome = await answer.then(
    async response => ((await response.json()) as { code: string }).code,
    () => 'reset',
  )
  expect(['draining', 'reset']).toContain(outcome)
  expect(await stopped).toBe(1) // not all that was accepted is answered
}, 60_000)

test.skipIf(ignoresHangup())(
  'a terminal that is closed ends a server as SIGTERM does',
  async () => {
    const server = await startedWithModel(await tinyModel())
    expect(await server.stop('SIGHUP')).toBe(0)
  },
  60_000,
)

/** A server to which 50 requests a second are sent, each with a number for its id. */
async function busyServer() {
  const server = await startedServer(
    { timeouts: { drainDelayMilliseconds: drainDelay } },
    { variables: { DELAY: '100' }, keepLines: true },
  )
  const taken = numbersIn(server.lines)
  const classify = new URL('v1/models/tiny/classify', server.url)
  const send = async (number: number): Promise<number | string> => {
    try {
      const init = post(images.jpeg, { 'x-request-id': String(number) })
      return (await fetch(classify, { ...init, keepalive: false })).status
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error)
    }
  }
  const sent: Promise<number | string>[] = []
  const sending = setInterval(() => sent.push(send(sent.length)), 20)
  await Bun.sleep(700)
  return {
    server,
    count: () => sent.length,
    /** Resolved once it says to who may send others elsewhere that it will refuse them. */
    async refusesSoon() {
      let ready = 200
      while (ready === 200) ready = (await fetch(new URL('v2/health/ready', server.url), { keepalive: false })).status
      expect(ready).toBe(503)
    },
    /** Outcomes of all requests once the server has stopped: accepted ones are answered. */
    async outcomes() {
      await Bun.sleep(100)
      clearInterval(sending)
      const outcomes = await Promise.all(sent)
      const numbers = await taken
      expect(numbers.size).toBeGreaterThan(20)
      for (const [number, outcome] of outcomes.entries())
        expect([number, outcome]).toEqual([number, numbers.has(number) ? 200 : expect.any(String)])
      return outcomes
    },
  }
}

/** Ids of the requests in the log. */
async function numbersIn(lines: AsyncIterable<Line>): Promise<Set<number>> {
  const numbers = new Set<number>()
  for await (const { message, path, requestId } of lines)
    if (message === 'request' && String(path).endsWith('/classify')) numbers.add(Number(requestId))
  return numbers
}

test.each(Array.from({ length: stops }, (_, i) => i + 1))(
  'stop %i under 50 requests a second loses none of them',
  async () => {
    const { server, refusesSoon, outcomes } = await busyServer()
    const began = performance.now()
    const stopped = server.stop()
    await refusesSoon()
    expect(await stopped).toBe(0)
    expect(performance.now() - began).toBeLessThan(10_000)
    const all = await outcomes()
    const refused = all.indexOf('ECONNREFUSED')
    expect(refused).toBeGreaterThan(20)
    // One whose connection the system had made, but the server not yet seen when it closed its port, is reset.
    expect(all.slice(0, refused).filter(outcome => outcome !== 200 && outcome !== 'ECONNRESET')).toEqual([])
    expect(new Set(all.slice(refused))).toEqual(new Set(['ECONNREFUSED']))
  },
  60_000,
)

test('a server that was blocked until its drain time answers the requests that arrived meanwhile', async () => {
  const { server, count, refusesSoon, outcomes } = await busyServer()
  const stopped = server.stop()
  await refusesSoon()
  const first = count()
  process.kill(server.pid, 'SIGSTOP')
  await Bun.sleep(drainDelay + 100)
  const last = count()
  process.kill(server.pid, 'SIGCONT')
  expect(await stopped).toBe(0)
  const meanwhile = (await outcomes()).slice(first, last)
  expect(meanwhile.length).toBeGreaterThan(10)
  expect(new Set(meanwhile)).toEqual(new Set([200]))
}, 60_000)
