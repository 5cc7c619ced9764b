import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { failure, images, post, start } from '../test/support/requests.ts'
import { strangeNames } from '../test/support/strange-names.ts'
import type { EngineErrorCode } from './engine.ts'

const classify = '/v1/models/tiny/classify'

test('GET /v1/models lists the models', async () => {
  const { app } = start()
  const { models } = (await (await app.request('/v1/models')).json()) as { models: object[] }
  expect(models).toEqual([
    {
      name: 'tiny',
      state: 'ready',
      classifies: true,
      labels: ['cat', 'dog', 'bird'],
      imageSize: [2, 2],
      backend: 'native',
      precision: 'float32',
      version: 'v1',
    },
  ])
})

test('an unknown path is a 404, a wrong method a 405', async () => {
  const { app } = start()
  expect(await failure(await app.request('/nothing'))).toEqual([404, 'not_found'])
  const response = await app.request(classify)
  expect(response.headers.get('allow')).toBe('POST')
  expect(await failure(response)).toEqual([405, 'method_not_allowed'])
})

test('each error of the engine has its status, and Retry-After if a retry helps', async () => {
  const { app, engine } = start()
  const expected: Record<EngineErrorCode, number> = {
    model_not_found: 404,
    model_not_ready: 503,
    model_failed: 500,
    image_corrupt: 422,
    image_too_large: 413,
    image_too_slow: 422,
    unsupported_format: 415,
    wrong_shape: 400,
    non_finite_input: 400,
    input_overflows: 422,
    no_classifier: 422,
    non_finite_output: 500,
    too_many_inputs: 422,
    queue_full: 429,
    queue_timeout: 503,
    model_hangs: 504,
    deadline_exceeded: 504,
    cancelled: 499,
    worker_failed: 503,
    draining: 503,
  }
  for (const [code, status] of Object.entries(expected)) {
    engine.fail = code as EngineErrorCode
    const response = await app.request(classify, post(images.jpeg))
    expect(response.headers.get('retry-after')).toBe(status === 429 || status === 503 ? '3' : null)
    expect(await failure(response)).toEqual([status, code])
  }
})

test('an unexpected error reveals nothing of the machine', async () => {
  const { app, engine } = start()
  engine.fail = new Error('ENOENT /home/someone/model.safetensors')
  const response = await app.request(classify, post(images.jpeg))
  expect(await response.json()).toEqual({
    error: "Internal server error; see the server's log.",
    code: 'internal',
  })
})

test('invalid names of models never reach the engine', async () => {
  const { app, engine } = start()
  for (const name of strangeNames('/etc/passwd'))
    for (const [method, path] of [
      ['POST', `/v1/models/${name}/classify`],
      ['POST', `/models/${name}`],
      ['GET', `/v2/models/${name}`],
      ['GET', `/v2/models/tiny/versions/${name}/ready`],
    ] as const)
      expect([400, 404]).toContain((await app.request(path, { method })).status)
  expect(engine.requests).toEqual([])
})

test('only probes and pages are open without an API key', async () => {
  const sha256 = createHash('sha256').update('secret').digest('hex')
  const { app, engine } = start({ auth: { keys: [{ name: 'team', sha256 }] } })
  const wrong = [
    '',
    'secret',
    'Bearer',
    'Bearer ',
    'bearer secret',
    'Bearer  secret',
    'Bearer\tsecret',
    'Bearer secre',
    'Bearer secret1',
  ]
  wrong.push('Basic c2VjcmV0', 'Bearer secret, Bearer secret', `Bearer ${'x'.repeat(1_000_000)}`, `Bearer ${sha256}`)
  const paths = [
    classify,
    '//v1/models',
    '/V1/models',
    '/v1/models',
    '/v1/models/',
    '/v1/models;x',
    '/v1/%6dodels',
    '/metrics',
  ]
  paths.push(
    '/v2',
    '/v2/models/tiny',
    '/v2/models/tiny/infer',
    '/models/tiny',
    '/v1/models?key=secret',
    '/v2/health/live/../../models/tiny',
  )
  let tried = 0
  for (const path of paths)
    for (const authorization of wrong) {
      const headers = { authorization, 'x-original-url': '/v2/health/live', 'x-http-method-override': 'GET' }
      for (const method of ['GET', 'POST', 'HEAD']) {
        const response = await app.request(path, { method, headers })
        expect(response.status).toBe(401)
        expect(response.headers.get('www-authenticate')).toBe('Bearer')
        tried++
      }
    }
  expect(tried).toBeGreaterThan(200)
  expect(engine.requests).toEqual([])
  for (const path of ['/', '/docs', '/openapi.json', '/v2/health/live', '/v2/health/ready'])
    expect((await app.request(path)).status).toBe(200)
  const headers = { authorization: 'Bearer secret' }
  expect((await app.request('/v1/models', { headers })).status).toBe(200)
  expect((await app.request(classify, post(images.jpeg, headers))).status).toBe(200)
})

test('a rate-limited client gets Retry-After', async () => {
  const { app } = start({ rateLimit: { perAddress: { requestsPerSecond: 0.1, burst: 2 } } })
  for (const _ of [1, 2]) expect((await app.request('/v1/models')).status).toBe(200)
  const response = await app.request('/v1/models')
  expect(response.headers.get('retry-after')).toBe('10')
  expect(await failure(response)).toEqual([429, 'rate_limited'])
  expect((await app.request('/v2/health/live')).status).toBe(200)
})

test('valid request ids are kept, and others replaced', async () => {
  const { app } = start()
  const idOf = async (id: string) =>
    (await app.request('/v2', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idOf('abc-1')).toBe('abc-1')
  for (const id of ['a b', '\u001b[31m'.slice(1), 'x'.repeat(300)]) expect(await idOf(id)).toMatch(/^[0-9a-f-]{36}$/)
})

test('only configured origins get CORS headers', async () => {
  const headers = { origin: 'https://example.org' }
  expect((await start().app.request('/v2', { headers })).headers.get('access-control-allow-origin')).toBeNull()
  const { app } = start({ cors: { origins: ['https://example.org'] } })
  expect((await app.request('/v2', { headers })).headers.get('access-control-allow-origin')).toBe('https://example.org')
  const other = await app.request('/v2', { headers: { origin: 'https://evil.example' } })
  expect(other.headers.get('access-control-allow-origin')).toBeNull()
})

test('CORS preflights are answered for configured origins, never with credentials', async () => {
  const preflight = (origin: string): RequestInit => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  const allowed = 'https://example.org'
  const closed = await start().app.request(classify, preflight(allowed))
  expect(closed.headers.get('access-control-allow-origin')).toBeNull()
  const { app, engine } = start({ cors: { origins: [allowed] } })
  const open = await app.request(classify, preflight(allowed))
  expect(open.status).toBe(204)
  expect(open.headers.get('access-control-allow-methods')).toBe('GET,POST')
  expect(open.headers.get('access-control-allow-headers')).toBe('authorization,content-type')
  for (const origin of ['https://evil.example', 'null', `${allowed}.evil.example`, 'http://example.org'])
    expect((await app.request(classify, preflight(origin))).headers.get('access-control-allow-origin')).toBeNull()
  const responses = [open, await app.request('/v2', { headers: { origin: allowed, cookie: 'a=b' } })]
  for (const { headers } of responses) {
    expect(headers.get('access-control-allow-origin')).toBe(allowed) // never *
    expect(headers.get('access-control-allow-credentials')).toBeNull()
  }
  expect(engine.requests).toEqual([])
})

test('answers have security headers', async () => {
  const { headers } = await start().app.request('/')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-security-policy')).toContain("default-src 'self'")
})

test('the OpenAPI document has every route', async () => {
  const { app } = start()
  const document = (await (await app.request('/openapi.json')).json()) as {
    openapi: string
    paths: Record<string, object>
    components: { schemas: Record<string, object> }
  }
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths).sort()).toEqual([
    '/models/{model}',
    '/v1/models',
    '/v1/models/{model}/classify',
    '/v1/models/{model}/embed',
    '/v1/models/{model}/explain',
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    '/v2/models/{model}',
    '/v2/models/{model}/infer',
    '/v2/models/{model}/ready',
    '/v2/models/{model}/versions/{version}',
    '/v2/models/{model}/versions/{version}/infer',
    '/v2/models/{model}/versions/{version}/ready',
  ])
  const { length } = app.openAPIRegistry.definitions
  expect(await (await app.request('/openapi.json')).json()).toEqual(document)
  expect(app.openAPIRegistry.definitions).toHaveLength(length) // asking adds nothing to it
  const { valid, errors } = await new Validator().validate(document)
  expect([valid, errors]).toEqual([true, undefined])
  const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)
  for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name as string)
})
