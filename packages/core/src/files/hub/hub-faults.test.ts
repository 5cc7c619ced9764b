/** A hub with troubles of its own, one that sends or announces too much, and one behind a proxy. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commit, HubServer } from '../../../test/hub-server.ts'
import { type HubOptions, resolveModel } from './hub.ts'

const environment = { ...process.env }
let hub: HubServer
let home: string
let warnings: string[]

beforeEach(() => {
  hub = new HubServer()
  home = mkdtempSync(join(tmpdir(), 'vitral-hub-'))
  warnings = []
  for (const name of Object.keys(process.env)) if (/^HF_|_proxy$/i.test(name)) delete process.env[name]
  Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: hub.endpoint })
})

afterEach(async () => {
  await hub.stop()
  rmSync(home, { recursive: true })
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
})

const resolve = (options: HubOptions = {}): Promise<string> =>
  resolveModel('owner/model', { onWarning: line => warnings.push(line), ...options })

/** What lies in the cache of downloads, whole or not. */
function blobs(): string[] {
  const folder = join(home, 'hub/models--owner--model/blobs')
  return existsSync(folder) ? readdirSync(folder) : []
}

describe('with a copy in the cache', () => {
  test.each([408, 429, 500, 502, 503, 504])('a hub that answers %d is no error, and that is said', async status => {
    const folder = await resolve()
    hub.fault = { status }
    expect(await resolve()).toBe(folder)
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`answered ${status} .*Using the copy in the cache `))])
    hub.fault = { status, statusPaths: /model\.safetensors$/ }
    expect(await resolve()).toBe(folder) // amid the files too
  })

  test.each([401, 403, 404])('a hub that answers %d is an error', async status => {
    await resolve()
    hub.fault = { status, code: 'RepoNotFound' }
    await expect(resolve()).rejects.toThrow(status === 404 ? 'has no model owner/model' : 'refuses owner/model')
    expect(warnings).toEqual([])
  })

  test('a network that is away is no error, and that is said', async () => {
    const folder = await resolve()
    process.env.HF_ENDPOINT = 'http://localhost:9'
    expect(await resolve()).toBe(folder)
    expect(warnings).toEqual([expect.stringContaining('Cannot reach the hub at http://localhost:9')])
  })

  test('a newer version whose download breaks leaves the one before', async () => {
    const folder = await resolve()
    hub.fault = { commit: 'b'.repeat(40), cutAfter: 100_000 }
    hub.files.set('model.safetensors', Uint8Array.from(hub.file('model.safetensors')).fill(7, -9))
    expect(await resolve()).toBe(folder)
    expect(warnings).toEqual([expect.stringMatching(/^The connection broke after .* Using the copy in the cache /)])
    expect(folder).toEndWith(commit)
  })
})

test('without one, a hub that is overloaded is an error that says both', async () => {
  hub.fault = { status: 503 }
  await expect(resolve()).rejects.toThrow(/answered 503 .*for owner\/model\. The cache \S+ does not have owner\/model/)
})

test('a configuration that has to be refused is, before weights are downloaded', async () => {
  hub.files.set('config.json', Buffer.from('{"model_type":"llama","hidden_size":8}'))
  await expect(resolve()).rejects.toThrow("describes a model of type 'llama'")
  expect(hub.requests.filter(({ path }) => path.includes('safetensors'))).toEqual([])
})

describe('bytes beyond what was announced', () => {
  test('bytes beyond what was announced are not written, and what came is deleted', async () => {
    const size = hub.file('model.safetensors').length
    hub.fault = { excess: 30_000_000 }
    let received = 0
    const onProgress: HubOptions['onProgress'] = event => {
      received = Math.max(received, event.received)
    }
    await expect(resolve({ onProgress })).rejects.toThrow(
      `sends more than the ${size.toLocaleString('en-US')} bytes it announced.`,
    )
    expect(received).toBeLessThanOrEqual(size)
    expect(blobs().filter(name => name.endsWith('.incomplete'))).toEqual([])
  })

  test('a model above the limit is refused before its weights are asked for', async () => {
    await expect(resolve({ maxBytes: 5000 })).rejects.toThrow(
      /owner\/model has [\d,]+ bytes up to model\.safetensors; expected at most 5,000\..* VITRAL_HUB_MAX_BYTES/,
    )
    expect(hub.requests.filter(({ path }) => path.startsWith('/cdn/'))).toEqual([])
    process.env.VITRAL_HUB_MAX_BYTES = '5000'
    await expect(resolve()).rejects.toThrow('expected at most 5,000.')
  })

  test('a config.json that announces gigabytes is refused', async () => {
    hub.fault = { announce: 3e9 }
    await expect(resolve()).rejects.toThrow('config.json of owner/model has 3,000,000,000 bytes; expected at most')
    expect(blobs()).toEqual([])
  })
})

describe.each([
  ['Bun', process.execPath],
  ['Node', Bun.which('node')],
])('proxies in %s', (runtime, program) => {
  if (!program) console.log(`Proxies in ${runtime} are not tested: there is none in the PATH.`)
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vitral-proxy-'))
    const entry = join(import.meta.dirname, '../../../test/resolve-model.ts')
    await Bun.build({ entrypoints: [entry], target: 'node', outdir: folder, naming: 'resolve.mjs' })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Every host that it is asked for is the hub; tunnels are refused. */
  async function startProxy() {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      const { pathname } = new URL(request.url ?? '', 'http://no-proxy')
      const target = new URL(pathname, hub.endpoint)
      httpRequest(target, { method: request.method, headers: request.headers }, answer => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      }).end()
    })
    server.on('connect', ({ url }, socket) => {
      asked.push(`CONNECT ${url}`)
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const stop = (): void => {
      server.closeAllConnections()
      server.close()
    }
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
  }

  async function resolveThere(env: Record<string, string>): Promise<string> {
    const child = Bun.spawn([program as string, join(folder, 'resolve.mjs')], {
      env: { PATH: process.env.PATH, HF_HOME: home, ...env },
      stderr: 'pipe',
    })
    const [output, errors] = await Promise.all([child.stdout, child.stderr].map(pipe => new Response(pipe).text()))
    expect(errors).toBe('')
    return (output as string).trim()
  }

  test.skipIf(!program)(
    'proxies are asked for hosts that NO_PROXY does not name',
    async () => {
      const proxy = await startProxy()
      const env = { HF_ENDPOINT: 'http://hub.invalid', NO_PROXY: '127.0.0.1' } // storage is asked for directly
      try {
        for (const name of ['HTTP_PROXY', 'http_proxy']) {
          proxy.asked.length = 0
          expect(await resolveThere({ ...env, [name]: proxy.url })).toEndWith(commit)
          expect(proxy.asked[0]).toBe('HEAD http://hub.invalid/owner/model/resolve/main/config.json')
          expect(proxy.asked.every(line => !line.includes('/cdn/'))).toBe(true)
        }
        hub.fault = { status: 503 }
        const env503 = { HF_ENDPOINT: 'http://hub.invalid', HTTP_PROXY: proxy.url, HF_HOME: join(home, 'empty') }
        expect(await resolveThere(env503)).toContain('answered 503 Service Unavailable for owner/model.')
        hub.fault = {}
        proxy.asked.length = 0
        const excepted = { HF_ENDPOINT: hub.endpoint, HTTP_PROXY: proxy.url, NO_PROXY: 'localhost,127.0.0.1' }
        expect(await resolveThere(excepted)).toEndWith(commit)
        expect(proxy.asked).toEqual([])
      } finally {
        proxy.stop()
      }
    },
    60_000,
  )

  test.skipIf(!program)(
    'proxies of https are named where they refuse',
    async () => {
      const proxy = await startProxy()
      try {
        const said = await resolveThere({ HF_ENDPOINT: 'https://hub.invalid', HTTPS_PROXY: proxy.url })
        expect(said).toStartWith('Cannot reach the hub at https://hub.invalid through HTTPS_PROXY (')
        expect(proxy.asked).toContain('CONNECT hub.invalid:443')
      } finally {
        proxy.stop()
      }
    },
    60_000,
  )
})
