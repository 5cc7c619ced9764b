import { describe, expect, test } from 'bun:test'
import { hc } from 'hono/client'
import sharp from 'sharp'
import { addresses } from '../../test/support/addresses.ts'
import { failure, form, images, post, start } from '../../test/support/requests.ts'
import { notImages } from '../../test/support/strange-files.ts'
import type { AppType } from '../app.ts'

const path = (task: string): string => `/v1/models/tiny/${task}`
const body = async (response: Response | Promise<Response>): Promise<unknown> => (await response).json()

describe('POST classify', () => {
  test('returns the classes of one image, best first', async () => {
    const { app, engine } = start()
    for (const image of [images.jpeg, images.png, images.webp]) {
      const response = await app.request(`${path('classify')}?top_k=2`, post(image))
      expect(response.status).toBe(200)
      expect(response.headers.get('x-inference-time')).toBe('3.0')
      const { model, version, results } = (await body(response)) as { model: string; version: string; results: never }
      expect([model, version]).toEqual(['tiny', 'v1'])
      const last = image.at(-1) as number
      const scores = last === 0 ? [1 / 3, 1 / 3] : [1 / (1 + Math.exp(-last) + Math.exp(-2 * last)), expect.any(Number)]
      expect(results[0]).toEqual({
        predictions: [
          {
            label: last === 0 ? 'cat' : 'dog',
            index: last === 0 ? 0 : 1,
            score: expect.closeTo(scores[0] as number, 5),
          },
          { label: last === 0 ? 'dog' : 'cat', index: last === 0 ? 1 : 0, score: expect.anything() },
        ],
      } as never)
    }
    expect(engine.requests).toHaveLength(3)
    expect(engine.requests[0]?.timeout).toBe(10_000)
  })

  test('accepts many images as files of a form, in their order', async () => {
    const { app, engine } = start()
    const response = await app.request(path('classify'), post(form(images.jpeg, images.png, images.webp)))
    expect(((await body(response)) as { results: unknown[] }).results).toHaveLength(3)
    expect(engine.requests[0]?.inputs).toEqual([images.jpeg, images.png, images.webp].map(image => ({ image })))
  })

  test('recognizes images by their first bytes, whatever the Content-Type says', async () => {
    const { app, engine } = start()
    const ok = await app.request(path('classify'), post(images.jpeg, { 'content-type': 'image/png' }))
    expect(ok.status).toBe(200)
    const others = await Promise.all(Object.values(notImages).map(make => make('/etc/passwd')))
    for (const bytes of [new Uint8Array(0), ...others])
      expect(await failure(await app.request(path('classify'), post(bytes)))).toEqual([415, 'unsupported_format'])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'x'])
      expect(await failure(await app.request(path('classify'), post(images.jpeg, { 'content-type': type })))).toEqual([
        415,
        'unsupported_media_type',
      ])
    expect(engine.requests).toHaveLength(1)
  })

  test('rejects forms that are malformed, empty, or have too many images', async () => {
    const { app } = start({ limits: { imagesPerRequest: 2 } })
    const send = async (what: unknown, headers = {}) =>
      failure(await app.request(path('classify'), post(what, headers)))
    expect(await send(images.jpeg, { 'content-type': 'multipart/form-data' })).toEqual([400, 'invalid_request'])
    expect(await send(images.jpeg, { 'content-type': 'multipart/form-data; boundary=x' })).toEqual([
      400,
      'invalid_request',
    ])
    expect(await send(new FormData())).toEqual([400, 'invalid_request'])
    expect(await send(form(images.jpeg, images.jpeg, images.jpeg))).toEqual([422, 'too_many_inputs'])
    expect(await send(form(images.jpeg, images.gif))).toEqual([415, 'unsupported_format'])
  })

  test('rejects images whose header claims too many pixels or none', async () => {
    const { app } = start()
    const lie = images.png.slice()
    new DataView(lie.buffer).setUint32(16, 60_000)
    new DataView(lie.buffer).setUint32(20, 60_000)
    expect(await failure(await app.request(path('classify'), post(lie)))).toEqual([413, 'image_too_large'])
    new DataView(lie.buffer).setUint32(16, 0)
    expect(await failure(await app.request(path('classify'), post(lie)))).toEqual([422, 'image_corrupt'])
    expect(await failure(await app.request(path('classify'), post(images.png.slice(0, 12))))).toEqual([
      422,
      'image_corrupt',
    ])
  })

  test('rejects invalid queries and deadlines', async () => {
    const { app, engine } = start()
    for (const query of ['top_k=0', 'top_k=x', 'top_k=1.5', 'top_k=-1', 'top_k=1e9'])
      expect(await failure(await app.request(`${path('classify')}?${query}`, post(images.jpeg)))).toEqual([
        400,
        'invalid_request',
      ])
    for (const timeout of ['0', '-1', 'x', '1e3', '99999999999'])
      expect(await failure(await app.request(path('classify'), post(images.jpeg, { timeout })))).toEqual([
        400,
        'invalid_request',
      ])
    expect((await app.request(path('classify'), post(images.jpeg, { timeout: '250' }))).status).toBe(200)
    expect(engine.requests[0]?.timeout).toBe(250)
  })
})

test('POST embed returns the features of each image', async () => {
  const { results } = (await body(start().app.request(path('embed'), post(images.jpeg)))) as { results: object[] }
  expect(results).toEqual([{ features: [0, 1, 2, 0xd9] }])
})

test('POST explain returns the attention as numbers, or laid over the image', async () => {
  const { app } = start()
  const { results } = (await body(app.request(path('explain'), post(images.jpeg)))) as { results: object[] }
  expect(results).toEqual([
    { predictions: expect.any(Array), attention: { height: 2, width: 2, values: [1, 0.5, 0.25, 0] } },
  ])
  const response = await app.request(path('explain'), post(images.jpeg, { accept: 'image/png' }))
  expect(response.headers.get('content-type')).toBe('image/png')
  const { data, info } = await sharp(await response.arrayBuffer())
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, info.channels]).toEqual([8, 6, 3])
  expect(data[0]).toBeGreaterThan(180)
  expect(data.at(-3)).toBeLessThan(70)
  const two = await app.request(path('explain'), post(form(images.jpeg, images.jpeg), { accept: 'image/png' }))
  expect(await failure(two)).toEqual([406, 'not_acceptable'])
  const damaged = await app.request(path('explain'), post(images.jpeg.slice(0, -20), { accept: 'image/png' }))
  expect(await failure(damaged)).toEqual([422, 'image_corrupt'])
})

describe('the Hugging Face route', () => {
  const inputs = images.jpeg.toBase64()

  test('accepts bytes or base64, and returns labels with scores', async () => {
    const { app } = start()
    expect(await body(app.request('/models/tiny', post(images.jpeg)))).toEqual([
      { label: 'dog', score: expect.closeTo(1, 5) },
      { label: 'cat', score: expect.closeTo(0, 5) },
      { label: 'bird', score: expect.closeTo(0, 5) },
    ])
    const parameters = { top_k: 1, function_to_apply: 'none' }
    const options = { wait_for_model: true, use_cache: false } // of their own service
    expect(await body(app.request('/models/tiny', post({ inputs, parameters, options })))).toEqual([
      { label: 'dog', score: 2 * 0xd9 },
    ])
  })

  test('fetches no URLs', async () => {
    let hits = 0
    using canary = Bun.serve({ port: 0, fetch: () => new Response(`${++hits}`) })
    const { app, engine } = start()
    for (const address of addresses(canary.port as number, '/etc/passwd'))
      expect((await app.request('/models/tiny', post({ inputs: address }))).status).toBeOneOf([400, 415])
    expect([hits, engine.requests.length]).toEqual([0, 0])
  })

  test('rejects JSON with unknown or malformed fields', async () => {
    const { app } = start()
    const bad: unknown[] = [
      '',
      '{',
      '[]',
      'null',
      { inputs: 1 },
      { inputs, more: 1 },
      { inputs, parameters: { top_k: 0 } },
    ]
    bad.push(
      `\ufeff${JSON.stringify({ inputs })}`,
      '{"inputs":"","__proto__":{"polluted":true}}',
      `${'['.repeat(1_000_000)}`,
    )
    bad.push(
      '{"inputs":"","parameters":{"top_k":1e999}}',
      '{"inputs":"","parameters":{"constructor":{"prototype":{}}}}',
    )
    for (const value of bad)
      expect(await failure(await app.request('/models/tiny', post(value)))).toEqual([400, 'invalid_request'])
    const invalid = Uint8Array.of(0x22, 0xff, 0x22)
    const response = await app.request('/models/tiny', post(invalid, { 'content-type': 'application/json' }))
    expect(await failure(response)).toEqual([400, 'invalid_request'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

test('Hono’s typed client knows routes and answers', async () => {
  const { app } = start()
  const client = hc<AppType>('http://localhost', { fetch: app.request as typeof fetch })
  const list = await client.v1.models.$get()
  if (list.status !== 200) throw new Error(`status ${list.status}`)
  const { models } = await list.json()
  const [name] = models.map(model => model.name satisfies string)
  const response = await client.v1.models[':model'].classify.$post(
    { param: { model: name as string }, query: { top_k: '1' }, header: {} },
    { init: { body: images.jpeg } },
  )
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  const { results } = await response.json()
  expect(results[0]?.predictions[0]?.label satisfies string | undefined).toBe('dog')
})
