/** Downloads from a hub that speaks Hugging Face's protocol, on this machine. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveModel } from './hub.ts'
import type { DownloadProgress } from './hub-download.ts'

const commit = 'a'.repeat(40)
const fixture = join(import.meta.dirname, '../../test/fixtures/square/model')
const files = new Map<string, Uint8Array>()
let server: ReturnType<typeof Bun.serve>
let home: string
/** What the hub does wrong next. */
let fault: { cutAfter?: number; damage?: boolean; status?: number; code?: string } = {}
let requests: { method: string; path: string; range: string | null; authorization: string | null }[] = []
const environment = { ...process.env }

beforeEach(() => {
  files.clear()
  for (const name of ['config.json', 'preprocessor_config.json', 'model.safetensors'])
    files.set(name, readFileSync(join(fixture, name)))
  fault = {}
  requests = []
  home = mkdtempSync(join(tmpdir(), 'vitral-hub-'))
  server = Bun.serve({ port: 0, fetch: answer })
  Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: `http://localhost:${server.port}/` })
  for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'HF_TOKEN_PATH']) delete process.env[name]
})

afterEach(async () => {
  await server.stop(true)
  rmSync(home, { recursive: true })
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
})

function answer(request: Request): Response {
  const { pathname } = new URL(request.url)
  const { method, headers } = request
  requests.push({ method, path: pathname, range: headers.get('range'), authorization: headers.get('authorization') })
  if (fault.status) return new Response(null, { status: fault.status, headers: { 'x-error-code': fault.code ?? '' } })
  if (pathname.startsWith('/cdn/')) return content(pathname.slice('/cdn/'.length), headers.get('range'))
  const name = /^\/owner\/model\/resolve\/[^/]+\/(.+)$/.exec(pathname)?.[1] ?? ''
  const bytes = files.get(name)
  if (!bytes) return new Response(null, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } })
  const large = name.endsWith('.safetensors')
  const checksum = large
    ? createHash('sha256').update(bytes).digest('hex')
    : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  const described = { 'x-repo-commit': commit, 'x-linked-size': `${bytes.length}`, 'x-linked-etag': `"${checksum}"` }
  // Large files are elsewhere, under another host name of this machine; small ones are here.
  if (large)
    return new Response(null, {
      status: 302,
      headers: { ...described, location: `http://127.0.0.1:${server.port}/cdn/${name}` },
    })
  return new Response(method === 'HEAD' ? null : content(name, headers.get('range')).body, { headers: described })
}

function content(name: string, range: string | null): Response {
  const whole = Uint8Array.from(files.get(name) as Uint8Array)
  if (fault.damage) whole[whole.length - 1] = (whole[whole.length - 1] as number) ^ 1
  const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
  const part = whole.subarray(from)
  if (fault.cutAfter === undefined) return new Response(part, { status: from > 0 ? 206 : 200 })
  const { cutAfter } = fault
  return new Response(part.subarray(0, cutAfter)) // the body ends too soon
}

test('a hub id is downloaded once, verified, with progress, into the layout Python has', async () => {
  const progress: DownloadProgress[] = []
  const folder = await resolveModel('owner/model', { onProgress: event => progress.push(event) })
  expect(folder).toBe(join(home, 'hub', 'models--owner--model', 'snapshots', commit))
  for (const [name, bytes] of files) expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true)
  expect(readFileSync(join(home, 'hub', 'models--owner--model', 'refs', 'main'), 'utf8')).toBe(commit)
  const size = files.get('model.safetensors')?.length as number
  expect(progress.filter(({ file }) => file === 'model.safetensors').at(-1)).toEqual({
    file: 'model.safetensors',
    received: size,
    total: size,
  })

  requests = []
  await resolveModel('owner/model')
  expect(requests.every(({ method }) => method === 'HEAD')).toBe(true)
})

test('a broken download is said so, kept, and gone on with', async () => {
  fault = { cutAfter: 100_000 }
  const broken = resolveModel('owner/model')
  await expect(broken).rejects.toThrow(/The connection broke after \d+ of \d+ bytes of .*run the same again/)
  fault = {}
  requests = []
  const folder = await resolveModel('owner/model')
  expect(readFileSync(join(folder, 'model.safetensors')).equals(files.get('model.safetensors') as Uint8Array)).toBe(
    true,
  )
})

test('an incomplete file is asked for from where it ends', async () => {
  const bytes = files.get('model.safetensors') as Uint8Array
  const blob = createHash('sha256').update(bytes).digest('hex')
  const folder = await resolveModel('owner/model')
  const blobs = join(home, 'hub', 'models--owner--model', 'blobs')
  rmSync(join(blobs, blob))
  writeFileSync(join(blobs, `${blob}.incomplete`), bytes.subarray(0, 1234))
  requests = []
  await resolveModel('owner/model')
  expect(requests.find(({ path }) => path.startsWith('/cdn/'))?.range).toBe('bytes=1234-')
  expect(readFileSync(join(folder, 'model.safetensors')).equals(bytes)).toBe(true)
})

test('damaged bytes never get the name of the file', async () => {
  fault = { damage: true }
  await expect(resolveModel('owner/model')).rejects.toThrow('arrived damaged')
  const blobs = join(home, 'hub', 'models--owner--model', 'blobs')
  expect(existsSync(blobs) ? readdirSync(blobs) : []).toEqual([])
})

test('the token goes to the hub and not to where it redirects', async () => {
  process.env.HF_TOKEN = 'secret'
  await resolveModel('owner/model')
  expect(
    requests
      .filter(({ path }) => path.startsWith('/owner/'))
      .every(({ authorization }) => authorization === 'Bearer secret'),
  ).toBe(true)
  expect(requests.filter(({ path }) => path.startsWith('/cdn/')).map(({ authorization }) => authorization)).toEqual([
    null,
  ])
})

test('the stored token is found in HF_HOME', async () => {
  writeFileSync(join(home, 'token'), 'stored\n')
  await resolveModel('owner/model')
  expect(requests[0]?.authorization).toBe('Bearer stored')
})

test('sharded weights are downloaded by their index', async () => {
  const bytes = files.get('model.safetensors') as Uint8Array
  files.delete('model.safetensors')
  files.set('model-00001-of-00001.safetensors', bytes)
  files.set(
    'model.safetensors.index.json',
    Buffer.from(JSON.stringify({ weight_map: { x: 'model-00001-of-00001.safetensors' } })),
  )
  expect(readdirSync(await resolveModel('owner/model')).sort()).toEqual([...files.keys()].sort())
})

test('refusals say what to do', async () => {
  const refused = async (status: number, code: string, message: string) => {
    fault = { status, code }
    await expect(resolveModel('owner/model')).rejects.toThrow(message)
  }
  await refused(401, 'GatedRepo', 'needs HF_TOKEN')
  await refused(404, 'RepoNotFound', 'has no model owner/model')
  await refused(404, 'RevisionNotFound', "has no revision 'main'")
  await refused(500, '', 'answered 500')
  fault = {}
  files.delete('model.safetensors')
  await expect(resolveModel('owner/model')).rejects.toThrow('owner/model has no safetensors')
  files.delete('config.json')
  await expect(resolveModel('owner/model')).rejects.toThrow('owner/model has no config.json')
})

test('a hub that cannot be reached is named; the cache serves if it can', async () => {
  await resolveModel('owner/model')
  process.env.HF_ENDPOINT = 'http://localhost:9'
  expect(await resolveModel('owner/model')).toContain(commit)
  await expect(resolveModel('owner/other')).rejects.toThrow('Cannot reach the hub at http://localhost:9')
})

test('offline, only the cache is asked', async () => {
  await resolveModel('owner/model')
  process.env.HF_HUB_OFFLINE = '1'
  requests = []
  expect(await resolveModel('owner/model')).toContain(commit)
  await expect(resolveModel('owner/other')).rejects.toThrow('HF_HUB_OFFLINE is set')
  expect(requests).toEqual([])
})

test('a folder is itself, and anything else is refused', async () => {
  expect(await resolveModel(fixture)).toBe(fixture)
  for (const name of ['nothing', '../up', 'a/b/c', 'owner/..'])
    await expect(resolveModel(name)).rejects.toThrow('is neither a folder that exists nor a hub id')
})
