/** Downloads from a hub that speaks Hugging Face's protocol, on this machine. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { commit, HubServer } from '../../../test/hub-server.ts'
import { ModelSite } from '../../../test/model-site.ts'
import { parseSafetensors } from '../safetensors/safetensors.ts'
import { resolveModel } from './hub.ts'
import type { DownloadProgress } from './receive.ts'

const fixture = join(import.meta.dirname, '../../../test/fixtures/square/model')
const environment = { ...process.env }
let hub: HubServer
let home: string
/** Where the cache keeps the model's bytes. */
let blobs: string

beforeEach(() => {
  hub = new HubServer()
  home = mkdtempSync(join(tmpdir(), 'vitral-hub-'))
  blobs = join(home, 'hub', 'models--owner--model', 'blobs')
  for (const name of Object.keys(process.env)) if (/^HF_/.test(name)) delete process.env[name]
  Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: hub.endpoint })
})

afterEach(async () => {
  await hub.stop()
  rmSync(home, { recursive: true })
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('a hub id is downloaded once, verified, with progress, into the layout Python has', async () => {
  const progress: DownloadProgress[] = []
  const folder = await resolveModel('owner/model', { onProgress: event => progress.push(event) })
  expect(folder).toBe(join(home, 'hub', 'models--owner--model', 'snapshots', commit))
  for (const [name, bytes] of hub.files) expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true)
  expect(readFileSync(join(home, 'hub', 'models--owner--model', 'refs', 'main'), 'utf8')).toBe(commit)
  const size = hub.file('model.safetensors').length
  expect(progress.filter(({ file }) => file === 'model.safetensors').at(-1)).toEqual({
    file: 'model.safetensors',
    received: size,
    total: size,
  })

  hub.requests = []
  await resolveModel('owner/model')
  expect(hub.requests.every(({ method }) => method === 'HEAD')).toBe(true)
})

test('a broken download is said so, kept, and gone on with', async () => {
  hub.fault = { cutAfter: 100_000 }
  const broken = resolveModel('owner/model')
  await expect(broken).rejects.toThrow(/The connection broke after \d+ of \d+ bytes of .*run the same again/)
  hub.fault = {}
  hub.requests = []
  const folder = await resolveModel('owner/model')
  expect(readFileSync(join(folder, 'model.safetensors')).equals(hub.file('model.safetensors'))).toBe(true)
})

test('an incomplete file is asked for from where it ends', async () => {
  const bytes = hub.file('model.safetensors')
  const blob = sha256(bytes)
  const folder = await resolveModel('owner/model')
  rmSync(join(blobs, blob))
  writeFileSync(join(blobs, `${blob}.incomplete`), bytes.subarray(0, 1234))
  hub.requests = []
  await resolveModel('owner/model')
  expect(hub.requests.find(({ path }) => path.startsWith('/cdn/'))?.range).toBe('bytes=1234-')
  expect(readFileSync(join(folder, 'model.safetensors')).equals(bytes)).toBe(true)
})

test('damaged bytes never get the name of the file', async () => {
  hub.fault = { damage: true }
  await expect(resolveModel('owner/model')).rejects.toThrow('arrived damaged')
  expect(existsSync(blobs) ? readdirSync(blobs) : []).toEqual([])
})

test('a connection that is cut is gone on with at once, from where it was', async () => {
  const bytes = hub.file('model.safetensors')
  let served = 0
  const cdn = createServer((request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from ? 206 : 200, { 'content-length': bytes.length - from })
    if (served++ > 0) return response.end(bytes.subarray(from))
    response.write(bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
  })
  await new Promise<void>(resolve => cdn.listen(0, resolve))
  hub.storage = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}/`
  const progress: DownloadProgress[] = []
  const folder = await resolveModel('owner/model', { onProgress: event => progress.push(event) })
  expect(readFileSync(join(folder, 'model.safetensors')).equals(bytes)).toBe(true)
  const ofWeights = progress.filter(({ file }) => file === 'model.safetensors')
  expect(ofWeights.at(-1)).toEqual({ file: 'model.safetensors', received: bytes.length, total: bytes.length })
  expect(served).toBe(2)
  cdn.close()
})

test('a hub that falls silent does not hang the program', async () => {
  process.env.HF_HUB_DOWNLOAD_TIMEOUT = '0.2'
  hub.fault = { silent: '/owner/' }
  await expect(resolveModel('owner/model')).rejects.toThrow('nothing was heard for 0.2 s')
  hub.fault = { silent: '/cdn/' }
  await expect(resolveModel('owner/model')).rejects.toThrow('nothing was heard for 0.2 s')
})

test('two downloads at once do not disturb each other, nor one who reads', async () => {
  const [folder] = await Promise.all([resolveModel('owner/model'), resolveModel('owner/model')])
  const path = join(folder, 'model.safetensors')
  expect(readFileSync(path).equals(hub.file('model.safetensors'))).toBe(true)
  expect(readdirSync(folder).sort()).toEqual([...hub.files.keys()].sort())
  const { ino } = lstatSync(path)
  await resolveModel('owner/model')
  expect(lstatSync(path).ino).toBe(ino)
})

test('a disk that cannot be written is not taken for a broken connection', async () => {
  const blob = sha256(hub.file('model.safetensors'))
  mkdirSync(join(blobs, `${blob}.incomplete`), { recursive: true })
  await expect(resolveModel('owner/model')).rejects.toThrow('EISDIR')
})

test('a renamed model is found under its old name, sizes are asked for uncompressed', async () => {
  const folder = await resolveModel('owner/renamed')
  expect(readFileSync(join(folder, 'config.json')).equals(hub.file('config.json'))).toBe(true)
  expect(new Set(hub.requests.map(({ encoding }) => encoding))).toEqual(new Set(['identity']))
})

test('the cache folder and the token can be given', async () => {
  process.env.HF_TOKEN = 'of the environment'
  const cacheFolder = join(home, 'elsewhere')
  const folder = await resolveModel('owner/model', { cacheFolder, token: 'given' })
  expect(folder.startsWith(cacheFolder)).toBe(true)
  expect(hub.requests[0]?.authorization).toBe('Bearer given')
})

test('names from outside do not leave the cache', async () => {
  hub.fault = { commit: '../../../../escaped' }
  await expect(resolveModel('owner/model')).rejects.toThrow('without the checksum, size and commit')
  await expect(resolveModel('owner/model', { revision: '../main' })).rejects.toThrow("revision is '../main'")
})

test('the token goes to the hub and not to where it redirects', async () => {
  process.env.HF_TOKEN = 'secret'
  await resolveModel('owner/model')
  expect(
    hub.requests
      .filter(({ path }) => path.startsWith('/owner/'))
      .every(({ authorization }) => authorization === 'Bearer secret'),
  ).toBe(true)
  expect(hub.requests.filter(({ path }) => path.startsWith('/cdn/')).map(({ authorization }) => authorization)).toEqual(
    [null],
  )
})

test('the stored token is found in HF_HOME', async () => {
  writeFileSync(join(home, 'token'), 'stored\n')
  await resolveModel('owner/model')
  expect(hub.requests[0]?.authorization).toBe('Bearer stored')
})

test('sharded weights are downloaded by their index', async () => {
  const bytes = hub.file('model.safetensors')
  const names = [...parseSafetensors(bytes).tensors.keys()]
  hub.files.delete('model.safetensors')
  hub.files.set('model-00001-of-00001.safetensors', bytes)
  hub.files.set(
    'model.safetensors.index.json',
    Buffer.from(
      JSON.stringify({ weight_map: Object.fromEntries(names.map(name => [name, 'model-00001-of-00001.safetensors'])) }),
    ),
  )
  expect(readdirSync(await resolveModel('owner/model')).sort()).toEqual([...hub.files.keys()].sort())
})

test('refusals say what to do', async () => {
  const refused = async (status: number, code: string, message: string) => {
    hub.fault = { status, code }
    await expect(resolveModel('owner/model')).rejects.toThrow(message)
  }
  await refused(401, 'GatedRepo', 'needs HF_TOKEN')
  await refused(404, 'RepoNotFound', 'has no model owner/model')
  await refused(404, 'RevisionNotFound', "has no revision 'main'")
  await refused(500, '', 'answered 500')
  hub.fault = {}
  hub.files.delete('model.safetensors')
  await expect(resolveModel('owner/model')).rejects.toThrow('owner/model has neither model.safetensors nor')
  hub.files.delete('config.json')
  await expect(resolveModel('owner/model')).rejects.toThrow('owner/model has no config.json')
})

test('a hub that cannot be reached is named; the cache serves if it can', async () => {
  await resolveModel('owner/model')
  process.env.HF_ENDPOINT = 'http://localhost:9'
  expect(await resolveModel('owner/model', { onWarning: () => {} })).toContain(commit)
  await expect(resolveModel('owner/other')).rejects.toThrow('Cannot reach the hub at http://localhost:9')
})

test('offline, only the cache is asked', async () => {
  await resolveModel('owner/model')
  process.env.HF_HUB_OFFLINE = '1'
  hub.requests = []
  expect(await resolveModel('owner/model')).toContain(commit)
  await expect(resolveModel('owner/other')).rejects.toThrow('HF_HUB_OFFLINE is set')
  expect(hub.requests).toEqual([])
})

test('an address is a folder of the cache, too', async () => {
  const site = new ModelSite()
  await site.start()
  for (const source of [`${site.url}/model`, new URL(`${site.url}/model/`)]) {
    const folder = await resolveModel(source)
    expect(folder.startsWith(join(home, 'hub', 'urls--localhost-'))).toBe(true)
    expect(readdirSync(folder).sort()).toEqual([...site.files.keys()].sort())
  }
  expect(site.asked('GET', 'model.safetensors')).toHaveLength(1)
  await site.stop()
  expect(readFileSync(join(await resolveModel(`${site.url}/model`, { onWarning: () => {} }), 'config.json'))).toEqual(
    Buffer.from(site.file('config.json')),
  )
  expect(await resolveModel(pathToFileURL(fixture))).toBe(fixture)
})

test('a folder is itself, and anything else is refused', async () => {
  expect(await resolveModel(fixture)).toBe(fixture)
  for (const name of ['nothing', '../up', 'a/b/c', 'owner/..'])
    await expect(resolveModel(name)).rejects.toThrow('is neither a folder that exists nor a hub id')
})
