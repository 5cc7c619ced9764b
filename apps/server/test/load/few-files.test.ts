/** More clients than the server may open files: further ones wait. */
import { expect, test } from 'bun:test'
import { images, post } from '../support/requests.ts'
import { startedServer } from '../support/started-server.ts'

const limit = Bun.which('prlimit')

test.skipIf(!limit)(
  'with 64 files, 200 clients do it no harm: when they go, others are served within 2 s',
  async () => {
    const server = await startedServer({ log: false }, { limits: [String(limit), '--nofile=64'] })
    const classify = new URL('v1/models/tiny/classify', server.url)
    const ask = async (): Promise<number> =>
      (await fetch(classify, { ...post(images.jpeg), signal: AbortSignal.timeout(2000), keepalive: false })).status
    expect(await ask()).toBe(200)
    const { hostname, port } = server.url
    const sockets = await Promise.all(
      Array.from({ length: 200 }, () =>
        Bun.connect({ hostname, port: Number(port), socket: { data() {}, error() {} } }).catch(() => undefined),
      ),
    )
    while (server.openFiles() < 64) await Bun.sleep(10)
    await Bun.sleep(1000)
    for (const socket of sockets) socket?.terminate()
    const released = performance.now()
    let status = 0
    while (status !== 200 && performance.now() - released < 2000) status = await ask().catch(() => 0)
    expect(status).toBe(200)
    expect(performance.now() - released).toBeLessThan(2000)
    expect(await server.stop()).toBe(0)
  },
  30_000,
)
