/** Errors of every kind from a real server, engine and model, with all headers: none reveals the machine or its software. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ManagedEngine } from '../../src/engine.ts'
import { createEngine } from '../../src/models/create-engine.ts'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { cutInHalf, makeNonFinite, spoil } from '../support/damage.ts'
import { FAULTS, inputWith } from '../support/faults.ts'
import { form, images, post } from '../support/requests.ts'
import { connect } from '../support/socket-client.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

const damages: Record<string, (folder: string) => unknown> = {
  gone: folder => rmSync(folder, { recursive: true }),
  cut: folder => cutInHalf(join(folder, 'model.safetensors')),
  lacking: folder => spoil(folder, tensors => tensors.delete('classifier.bias')),
  infinite: makeNonFinite,
  bare: folder => rmSync(join(folder, 'config.json')),
}
const sha256 = (key: string): string => new Bun.CryptoHasher('sha256').update(key).digest('hex')
const key = (name: string) => ({ authorization: `Bearer ${name}` })

let engine: ManagedEngine
let server: RunningServer
beforeAll(async () => {
  const tiny = { name: 'tiny', folder: await tinyModel() }
  const damaged = Object.entries(damages).map(async ([name, damage]) => {
    const folder = await tinyModel()
    await damage(folder)
    return { name, folder, load: 'on-demand' as const }
  })
  engine = await createEngine({
    models: [tiny, ...(await Promise.all(damaged))].map(model => ({ ...model, backend: 'cpu' as const })),
    modelModule: fileURLToPath(new URL('../support/faulty-model.ts', import.meta.url)),
    queueTimeout: 200,
    backoff: 10,
  })
  const auth = {
    keys: [{ name: 'user', sha256: sha256('user') }],
    adminKeys: [{ name: 'admin', sha256: sha256('admin') }],
  }
  server = await startServer({ port: 0, log: false, auth, limits: { imageBytes: 50_000 } }, { engine })
}, 60_000)
afterAll(async () => {
  await server.stop()
  removeFolders()
}, 60_000)

/** Codes that came. */
const seen = new Set<string>()
/** Names of files, frames of a stack, and numbers as versions have them; not those of protocols. */
const telling = /\.[jt]s\b|\.sock\b|node_modules|\bat \S+ ?\(|:\d+:\d+|\bbun\b|hono|sharp|vips|v?\d+\.\d+\.\d+/i
const places = [
  tmpdir(),
  process.cwd(),
  process.execPath,
  join(import.meta.dir, '../..'),
  '/home/',
  '/usr/',
  '/etc/',
  '/root/',
  '/proc/',
]

function tells(text: string): string | undefined {
  return telling.exec(text)?.[0] ?? places.find(place => text.includes(place))
}

async function check(response: Response): Promise<void> {
  expect(response.status).toBeGreaterThanOrEqual(400)
  const body = await response.text()
  response.headers.delete('date')
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  expect(tells(`${headers}\n${body}`)).toBeUndefined()
  expect(headers).not.toMatch(/^(server|x-powered-by|via):/im)
  const { error, code } = JSON.parse(body) as { error: string; code: string }
  expect(error).not.toContain('\n')
  seen.add(code)
}

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, server.url), { ...init, headers: { ...key('user'), ...init.headers } })
const classify = '/v1/models/tiny/classify'
const inferPath = '/v2/models/tiny/infer'
const tensor = (first: number, more: object = {}) => ({
  inputs: [
    { name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: [...inputWith(first).pixelValues], ...more },
  ],
})

test('errors of wrong requests reveal nothing of the machine', async () => {
  const cut = images.jpeg.slice(0, images.jpeg.length / 2)
  const damaged = images.png.slice().fill(0, 40)
  const wrong: [string, RequestInit?][] = [
    ['/nothing'],
    ['/v1/models/..%2f..%2fetc%2fpasswd/classify', post(images.jpeg)],
    ['/v1/models/none/classify', post(images.jpeg)],
    [classify],
    [classify, post(images.gif)],
    [classify, post(cut)],
    [classify, post(damaged)],
    [classify, post(new Uint8Array(60_000))],
    [classify, post('x', { 'content-type': 'text/plain' })],
    [classify, post(images.jpeg, { 'content-encoding': 'gzip' })],
    [classify, post(images.jpeg, { timeout: 'soon' })],
    [classify, post('x', { 'content-type': 'multipart/form-data' })],
    [classify, post(form())],
    [classify, post(form(...Array(33).fill(images.jpeg)))],
    [`${classify}?top_k=x`, post(images.jpeg)],
    ['/v1/models/tiny/explain', post(form(images.jpeg, images.jpeg), { accept: 'image/png' })],
    ['/models/tiny', post('{')],
    ['/models/tiny', post('[[[[')],
    ['/models/tiny', post({ inputs: '/etc/passwd' })],
    ['/models/tiny', post({ inputs: 'http://127.0.0.1/' })],
    [inferPath, post('{"inputs":1}')],
    [inferPath, post('\ufeff{}')],
    [inferPath, post(tensor(0, { shape: [1, 3, 16, -16] }))],
    [inferPath, post(tensor(0, { datatype: 'FP16' }))],
    [inferPath, post(tensor(0, { name: '__proto__' }))],
    ['/v2/models/tiny/versions/9.9.9/ready'],
    ['/v2/models/tiny/infer', post(images.jpeg, { 'inference-header-content-length': '99999' })],
    [classify, post(images.jpeg, key('nobody'))],
    ['/v2/repository/models/tiny/load', { method: 'POST' }],
  ]
  for (const [path, init] of wrong) await check(await ask(path, init))
  expect(seen.size).toBeGreaterThan(10) // that they are of many kinds
}, 60_000)

test('errors of models that cannot be loaded reveal nothing of the machine', async () => {
  for (const name of Object.keys(damages)) {
    await check(await ask(`/v1/models/${name}/classify`, post(images.jpeg)))
    await check(await ask(`/v2/repository/models/${name}/load`, { method: 'POST', headers: key('admin') }))
  }
  const { models } = (await (await ask('/v1/models')).json()) as { models: { state: string }[] }
  expect(models.map(({ state }) => state)).toEqual(['ready', ...Array(5).fill('failed')])
  const index = await ask('/v2/repository/index', { method: 'POST', headers: key('admin') })
  for (const { reason } of (await index.json()) as { reason: string }[]) expect(tells(reason)).toBeUndefined()
}, 60_000)

test('errors of failing worker processes reveal nothing of the machine', async () => {
  const faults = [FAULTS.throw, FAULTS.nan, FAULTS.wrongCount, FAULTS.die]
  for (const fault of faults) await check(await ask(inferPath, post(tensor(fault))))
  while (!engine.ready()) await Bun.sleep(10)
  await check(await ask(inferPath, post(tensor(FAULTS.delay + 3000), { timeout: '50' })))
  await check(await ask(inferPath, post(tensor(0)))) // behind the one that is late
  const [decoder] = engine.processes() as [number]
  process.kill(decoder, 'SIGSTOP')
  const decoding = ask(classify, post(images.jpeg))
  while (engine.load()[0]?.queued !== 1) await Bun.sleep(1)
  await Bun.sleep(50)
  process.kill(decoder, 'SIGKILL')
  await check(await decoding)
}, 60_000)

test('answers to bytes that are not a request reveal nothing of the machine', async () => {
  for (const head of ['GET / HTTP/9.9', 'nonsense', 'GET / HTTP/1.1\r\nContent-Length: -5', 'GET /\0 HTTP/1.1']) {
    const client = await connect(server.url)
    client.send(`${head}\r\nHost: x\r\n\r\n`)
    for (let i = 0; i < 100 && !client.isClosed; i++) await Bun.sleep(5)
    expect(tells(client.received.replace(/HTTP\/\d\.\d/g, ''))).toBeUndefined()
    client.leave()
  }
})
