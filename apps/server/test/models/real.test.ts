/** The whole server, with a model from a folder and images over a socket. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import sharp from 'sharp'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { failure, form, images, post } from '../support/requests.ts'
import { logitsOf, pixelsOf, removeFolders, tinyModel } from '../support/tiny-model.ts'

let folder: string
let server: RunningServer
const at = (path: string): URL => new URL(path, server.url)
const json = async (response: Response): Promise<never> => (await response.json()) as never

beforeAll(async () => {
  folder = await tinyModel()
  server = await startServer({
    port: 0,
    log: false,
    models: [{ name: 'tiny', folder, backend: 'cpu' }],
    auth: { adminKeys: [{ name: 'admin', sha256: new Bun.CryptoHasher('sha256').update('admin').digest('hex') }] },
  })
}, 60_000)
afterAll(async () => {
  expect(await server.stop()).toBe(true)
  removeFolders()
}, 60_000)

test('all routes give the same answer', async () => {
  expect(await json(await fetch(at('v2/health/ready')))).toEqual({ ready: true } as never)
  const plain: { results: { predictions: { label: string; score: number }[] }[] } = await json(
    await fetch(at('v1/models/tiny/classify'), post(form(images.jpeg, images.png))),
  )
  const [first] = plain.results
  expect(plain.results).toHaveLength(2)
  expect(first?.predictions.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5)
  const huggingFace: { label: string; score: number }[] = await json(await fetch(at('models/tiny'), post(images.jpeg)))
  expect(huggingFace).toEqual(
    (first?.predictions ?? []).map(({ label, score }) => ({ label, score: expect.closeTo(score, 5) as never })),
  )
  const png = await fetch(at('v1/models/tiny/explain'), post(images.jpeg, { accept: 'image/png' }))
  expect((await sharp(await png.arrayBuffer()).metadata()).format).toBe('png')
})

test('logits over the Open Inference Protocol are the model’s own', async () => {
  const pixels = pixelsOf(1)
  const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: Array.from(pixels) }]
  const { outputs }: { outputs: { data: number[] }[] } = await json(
    await fetch(at('v2/models/tiny/infer'), post({ inputs })),
  )
  const expected = (await logitsOf(folder, [pixels]))[0] ?? []
  for (const [i, value] of expected.entries()) expect(outputs[0]?.data[i]).toBeCloseTo(value, 4)
})

test('requests of Triton’s clients are answered: binary tensors and classes, uncompressed', async () => {
  const pixels = pixelsOf(3)
  const expected = (await logitsOf(folder, [pixels]))[0] ?? []
  const binary = new Uint8Array(pixels.buffer)
  const tensor = { name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32' }
  const input = { ...tensor, parameters: { binary_data_size: binary.length } }
  const ask = async (json: object, headers: Record<string, string> = {}): Promise<Response> => {
    const head = Buffer.from(JSON.stringify(json))
    const length = { 'Inference-Header-Content-Length': `${head.length}`, 'content-type': 'application/octet-stream' }
    const body = Uint8Array.from(Buffer.concat([head, binary]))
    return await fetch(at('v2/models/tiny/infer'), post(body, { ...length, ...headers }))
  }
  const written = async (
    response: Response,
  ): Promise<{ json: { id: string; outputs: object[] }; rest: Uint8Array }> => {
    expect(response.status).toBe(200)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const length = Number(response.headers.get('inference-header-content-length'))
    return { json: JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))), rest: bytes.slice(length) }
  }
  // All outputs in binary where none is named; one of them where it says so itself.
  for (const request of [
    { id: '42', inputs: [input], parameters: { binary_data_output: true } },
    { id: '42', inputs: [input], outputs: [{ name: 'logits', parameters: { binary_data: true } }] },
  ]) {
    const { json, rest } = await written(await ask(request, { 'accept-encoding': 'gzip, deflate' }))
    expect(json).toMatchObject({
      id: '42',
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 3], parameters: { binary_data_size: 12 } }],
    })
    for (const [i, value] of [...new Float32Array(rest.buffer)].entries())
      expect(value).toBeCloseTo(expected[i] ?? 0, 4)
  }
  // BYTES: each with its length before it.
  const classes = [{ name: 'logits', parameters: { classification: 1, binary_data: true } }]
  const { rest } = await written(await ask({ inputs: [input], outputs: classes }))
  const best = expected.indexOf(Math.max(...expected))
  expect(new DataView(rest.buffer).getUint32(0, true)).toBe(rest.length - 4)
  expect(new TextDecoder().decode(rest.subarray(4))).toEndWith(`:${best}:LABEL_${best}`)
  // Compressed bodies are rejected with one sentence.
  for (const encoding of ['gzip', 'deflate'])
    expect(await failure(await ask({ inputs: [input] }, { 'content-encoding': encoding }))).toEqual([
      415,
      'unsupported_encoding',
    ])
})

test('logits and features come from one forward pass', async () => {
  const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: Array.from(pixelsOf(2)) }]
  const ask = async (...names: string[]): Promise<{ name: string; data: number[] }[]> => {
    const request = post({ inputs, outputs: names.map(name => ({ name })) })
    const answer: { outputs: { name: string; data: number[] }[] } = await json(
      await fetch(at('v2/models/tiny/infer'), request),
    )
    return answer.outputs
  }
  const batches = async (): Promise<number> =>
    Number(/^vit_batches_total\{model="tiny"\} (\d+)$/m.exec(await (await fetch(at('metrics'))).text())?.[1])
  const before = await batches()
  const both = await ask('features', 'logits')
  expect((await batches()) - before).toBe(1)
  expect(both).toEqual([...(await ask('features')), ...(await ask('logits'))])
})

test('non-finite values are rejected', async () => {
  const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: Array(768).fill(0.5) }]
  for (const text of ['1e999', '-1e999'])
    expect(
      await failure(
        await fetch(at('v2/models/tiny/infer'), post(JSON.stringify({ inputs }).replace('0.5]', `${text}]`))),
      ),
    ).toEqual([400, 'non_finite_input'])
  const nan = new Uint8Array(new Float32Array(768).fill(Number.NaN).buffer)
  const headers = { 'inference-header-content-length': '0', 'content-type': 'application/octet-stream' }
  expect(await failure(await fetch(at('v2/models/tiny/infer'), post(nan, headers)))).toEqual([400, 'non_finite_input'])
})

test('a damaged image is the client’s error also when attention is drawn', async () => {
  const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const
  const photo = sharp({ create: { width: 64, height: 48, channels: 3, background: '#000', noise } })
  const explain = async (file: Uint8Array): Promise<Response> =>
    await fetch(at('v1/models/tiny/explain'), post(new Uint8Array(file), { accept: 'image/png' }))
  const whole = await photo.webp().toBuffer()
  const drawn = await sharp(await (await explain(whole)).arrayBuffer()).metadata()
  expect([drawn.format, drawn.width, drawn.height]).toEqual(['png', 64, 48])
  expect(await failure(await explain(whole.subarray(0, whole.length / 2)))).toEqual([422, 'image_corrupt'])
})

test('an on-demand model describes its input, and accepts pixel values', async () => {
  const models = [{ name: 'lazy', folder, backend: 'cpu' as const, load: 'on-demand' as const }]
  const lazy = await startServer({ port: 0, log: false, models })
  const ask = async (path: string, request = {}): Promise<unknown> =>
    (await fetch(new URL(path, lazy.url), request)).json()
  expect(await ask('v2/models/lazy')).toMatchObject({
    inputs: [{ shape: [-1, 3, 16, 16] }, {}],
    outputs: [{ shape: [-1, 3] }, { shape: [-1, 16] }],
  })
  expect(await ask('v1/models')).toMatchObject({ models: [{ state: 'unloaded', labels: expect.any(Array) }] })
  const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: Array.from(pixelsOf(1)) }]
  expect(await ask('v2/models/lazy/infer', post({ inputs }))).toMatchObject({ outputs: [{ shape: [1, 3] }] })
  await lazy.stop()
}, 60_000)

test('an administrator reloads a model, and answers go on', async () => {
  const load = { method: 'POST', headers: { authorization: 'Bearer admin' } }
  const response = await fetch(at('v2/repository/models/tiny/load'), load)
  expect(response.status).toBe(200)
  expect((await fetch(at('v1/models/tiny/classify'), post(images.jpeg))).status).toBe(200)
})

test('an administrator unloads a model, and the next request loads it again', async () => {
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(at(`v2/repository/${path}`), {
      method: 'POST',
      headers: { authorization: 'Bearer admin' },
    })
    return await response.json()
  }
  expect(await ask('models/tiny/unload')).toEqual({ name: 'tiny', state: 'UNAVAILABLE' })
  expect(await ask('index')).toMatchObject([{ name: 'tiny', state: 'UNAVAILABLE', reason: 'unloaded' }])
  expect((await fetch(at('v1/models/tiny/classify'), post(images.jpeg))).status).toBe(200)
  expect(await ask('index')).toMatchObject([{ name: 'tiny', state: 'READY', reason: '' }])
})

test('metrics count the computed batches', async () => {
  const text = await (await fetch(at('metrics'))).text()
  const [, batches] = /^vit_batch_size_count\{model="tiny"\} (\d+)$/m.exec(text) ?? []
  expect(Number(batches)).toBeGreaterThan(2)
  expect(text).toContain(`vit_batches_total{model="tiny"} ${batches}`)
  expect(text).toContain('process_resident_memory_bytes')
  const [, memory] = /^vit_model_memory_bytes\{model="tiny"\} (\S+)$/m.exec(text) ?? []
  expect(Number(memory)).toBeGreaterThan(10e6)
})
