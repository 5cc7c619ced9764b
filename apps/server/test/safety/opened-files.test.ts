/**
 * The server opens nothing that clients name: no files of the machine, no models beside the served ones, no addresses. Answers
 * alone do not show it, as a file may be opened before its request is rejected. The server and its workers are therefore traced
 * by their system calls: after the first requests of each kind, they open only what is their own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { addresses } from '../support/addresses.ts'
import { type ImageRequest, requestsNaming, requestsOfNameAlone, requestsWith } from '../support/image-requests.ts'
import { images } from '../support/requests.ts'
import { connect, requestBytes } from '../support/socket-client.ts'
import { notImages, polyglotEnds, text } from '../support/strange-files.ts'
import { strangeNames } from '../support/strange-names.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'
import { type TracedServer, tracedServer, whyNotTraced } from '../support/traced-server.ts'

const reason = whyNotTraced()
if (reason) console.log(`skipped: which files the server opens, for ${reason}`)

const administration = { authorization: 'Bearer admin' }
const adminKeys = [{ name: 'admin', sha256: createHash('sha256').update('admin').digest('hex') }]

describe.skipIf(reason !== undefined)('the server, traced by its system calls,', () => {
  let folder: string
  /** A model that is not served, in the folder where the one that is served lies too. */
  let outside: string
  /** An image that no client may have read. */
  let canary: string
  let output: string
  let server: TracedServer
  let version: string
  /** Milliseconds since 1970 after which it has no reason to open anything new. */
  let warm: number

  beforeAll(async () => {
    folder = await tinyModel()
    outside = await tinyModel({ seed: 1 })
    canary = join(outside, 'canary.jpg')
    writeFileSync(canary, images.jpeg)
    output = mkdtempSync(join(tmpdir(), 'vitral-trace-'))
    server = await tracedServer(
      folder,
      { auth: { adminKeys }, engine: { watchMilliseconds: 100 } },
      join(output, 'trace'),
    )
    const { models } = (await (await fetch(new URL('v1/models', server.url))).json()) as {
      models: { version: string }[]
    }
    version = models[0]?.version as string
    for (const file of [images.jpeg, images.png, images.webp])
      expect(await statuses(requestsWith(file, version))).toEqual([200])
    for (const path of ['/', '/docs', '/openapi.json', '/metrics', '/v2/models/tiny', '/v2/health/ready'])
      expect(await statuses([{ path, init: {} }])).toEqual([200])
    const index = { path: '/v2/repository/index', init: { method: 'POST', headers: administration } }
    expect(await statuses([index])).toEqual([200])
    warm = Date.now()
  }, 60_000)
  afterAll(async () => {
    await server.kill()
    rmSync(output, { recursive: true, force: true })
    removeFolders()
  })

  /** Statuses of all answers, each once, in order. */
  async function statuses(requests: readonly ImageRequest[]): Promise<number[]> {
    const all = new Set<number>()
    for (const { path, init } of requests) {
      const response = await fetch(new URL(path, server.url), init)
      await response.arrayBuffer()
      all.add(response.status)
    }
    return [...all].sort((a, b) => a - b)
  }

  test('accepts only its image formats, whatever file an upload names', async () => {
    for (const make of Object.values(notImages))
      expect(await statuses(requestsWith(await make(canary), version))).toEqual([415])
    for (const make of Object.values(polyglotEnds)) {
      const polyglot = Uint8Array.from([...images.jpeg, ...(await make(canary))])
      expect(await statuses(requestsWith(polyglot, version))).toEqual([200])
    }
    expect(await statuses(requestsNaming(canary, images.jpeg))).toEqual([200])
    expect(await statuses(requestsOfNameAlone(canary))).toEqual([400, 415])
  }, 60_000)

  test('finds models and versions by their names only', async () => {
    const addressesOf = (name: string): [string, string][] => [
      ...['classify', 'embed', 'explain'].map((task): [string, string] => ['POST', `/v1/models/${name}/${task}`]),
      ['POST', `/models/${name}`],
      ...[name, `${name}/versions/1`, `tiny/versions/${name}`].flatMap((of): [string, string][] => [
        ['GET', `/v2/models/${of}`],
        ['GET', `/v2/models/${of}/ready`],
        ['POST', `/v2/models/${of}/infer`],
      ]),
      ...['load', 'unload'].map((task): [string, string] => ['POST', `/v2/repository/models/${name}/${task}`]),
      ...['/', '/docs/', '/page.css/'].map((place): [string, string] => ['GET', `${place}${name}`]),
    ]
    const wrong: string[] = []
    for (const name of [...strangeNames(outside), basename(outside)])
      for (const [method, target] of addressesOf(name)) {
        const status = await statusOf(method, target)
        if (![400, 404, 413, 414, 431].includes(status)) wrong.push(`${method} ${target} was answered ${status}`)
      }
    expect(wrong).toEqual([])
  }, 60_000)

  /** Status of a request whose target is sent verbatim. */
  async function statusOf(method: string, target: string): Promise<number> {
    const client = await connect(server.url)
    const headers = { ...administration, 'content-type': 'image/jpeg' }
    client.send(requestBytes(server.url, method, target, headers, method === 'POST' ? images.jpeg : undefined))
    const isAnswered = (): boolean => client.received.includes('\r\n\r\n') || client.isClosed
    for (const start = performance.now(); !isAnswered() && performance.now() - start < 5000; ) await Bun.sleep(1)
    client.leave()
    return Number(/^HTTP\/1\.1 (\d+)/.exec(client.received)?.[1])
  }

  test('connects to no address that a client names', async () => {
    let connections = 0
    const socket = { open: () => void connections++, data() {} }
    using listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket })
    for (const address of addresses(listener.port, canary)) {
      expect(await statuses(requestsWith(text(address), version))).toEqual([415])
      expect(await statuses(requestsNaming(address, images.jpeg))).toEqual([200])
      expect(await statuses(requestsOfNameAlone(address))).toEqual([400, 415])
    }
    expect(connections).toBe(0)
  }, 60_000)

  test('opens only its own files, and connects to nothing', async () => {
    // The server still answers.
    expect(await statuses(requestsWith(images.jpeg, version))).toEqual([200])
    expect(await server.stop()).toBe(0)
    const { calls, paths } = await server.trace()
    // What must be done is seen, also of a decoder and a model's process, which connect to the server: the rest would be, too.
    const joining = calls.filter(({ text }) => /^connect\(.*vitral-/.test(text)).map(({ id }) => id)
    expect(joining).toHaveLength(2)
    expect(joining).not.toContain(server.pid)
    expect([...paths(0, warm)]).toContain(join(folder, 'model.safetensors'))
    expect([...paths(warm)]).toContain(join(folder, 'config.json'))

    expect([...paths()].filter(path => path.includes(basename(outside)))).toEqual([])
    const known = paths(0, warm)
    const isOfRuntime = (path: string): boolean => /^\/proc\/self\/statm?$|^\/sys\//.test(path)
    expect([...paths(warm)].filter(path => !known.has(path) && !isOfRuntime(path))).toEqual([])
    expect(calls.filter(({ time, text }) => time >= warm && /^(socket|connect|io_uring)/.test(text))).toEqual([])
    expect(calls.filter(({ text }) => /^connect\(.*AF_INET|^io_uring/.test(text))).toEqual([])
  }, 60_000)
})
