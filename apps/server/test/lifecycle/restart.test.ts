/** A killed server and its successor at the same address: it starts as fast, and nothing is left over. */
import { afterEach, expect, test } from 'bun:test'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { images, post } from '../support/requests.ts'
import { connect } from '../support/socket-client.ts'
import { type StartedServer, startedWithModel } from '../support/started-server.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

const servers: StartedServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.kill()))
  removeFolders()
})

test('a server answers within 2 s plus load time after the one before was killed under load', async () => {
  const folder = await tinyModel()
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary)
  const start = async (port?: number): Promise<{ server: StartedServer; milliseconds: number }> => {
    const began = performance.now()
    const server = await startedWithModel(folder, port, { variables: { TMPDIR: temporary } })
    servers.push(server)
    return { server, milliseconds: performance.now() - began }
  }
  const classify = ({ url }: StartedServer): Promise<Response> =>
    fetch(new URL('v1/models/tiny/classify', url), post(images.jpeg))

  const first = await start()
  expect((await classify(first.server)).status).toBe(200)
  // Both ends of a connection may keep an address: one without a request, and many with one.
  const idle = await connect(first.server.url)
  const unanswered = Array.from({ length: 50 }, () => classify(first.server).catch(() => undefined))
  await Bun.sleep(10)
  await first.server.kill()
  expect(readdirSync(temporary)).toEqual([])
  const second = await start(Number(first.server.url.port))
  expect(second.server.url.href).toBe(first.server.url.href)
  expect(second.milliseconds).toBeLessThan(first.milliseconds + 2000)
  expect((await fetch(new URL('v2/health/ready', second.server.url))).status).toBe(200)
  expect((await classify(second.server)).status).toBe(200)
  await Promise.all(unanswered)
  idle.leave()
  expect(await second.server.stop()).toBe(0)
}, 60_000)
