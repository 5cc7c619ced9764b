/**
 * Random requests from a seed: any method, path, header and body, whole and broken. None may bring the server down or be
 * answered with an internal error. FUZZ_REQUESTS=1000000 and FUZZ_SEED=7 in the environment go further.
 */
import { afterEach, expect, test } from 'bun:test'
import { randomFrom } from '../support/random.ts'
import { images } from '../support/requests.ts'
import { type StartedServer, startedServer } from '../support/started-server.ts'

const requests = Number(process.env.FUZZ_REQUESTS ?? 20_000)
const seed = Number(process.env.FUZZ_SEED ?? 1)

const random = randomFrom(seed)
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const chance = (share: number): boolean => random() < share
const repeated = (count: number, make: () => string): string => Array.from({ length: count }, make).join('')
const junk = (): string =>
  repeated(Math.floor(random() * 40), () => pick(['a', '/', '%', '..', '%00', '{', '"', 'é', '🦆', ' ', '?', '=', '&']))

const paths = [
  ...['/', '/docs', '/openapi.json', '/metrics', '/v1/models', '/v1/models/tiny/classify', '/v1/models/tiny/embed'],
  ...['/v1/models/tiny/explain', '/models/tiny', '/v2', '/v2/health/live', '/v2/health/ready', '/v2/models/tiny'],
  ...['/v2/models/tiny/ready', '/v2/models/tiny/infer', '/v2/models/tiny/versions/1/infer', '/v2/repository/index'],
]
const path = (): string => {
  const whole = pick(paths)
  if (chance(0.6)) return whole
  if (chance(0.5)) return `${whole}/${encodeURI(junk())}`
  return `/${whole.slice(1, Math.floor(random() * whole.length))}${encodeURI(junk())}${chance(0.3) ? '?top_k=-1' : ''}`
}

const json = (): string => {
  const value = pick([1, -1, 1e308, null, '', 'FP32', [], {}, [[1, 2], [3]], true, 'x'.repeat(1000)])
  const input = {
    name: pick(['pixel_values', 'image', value]),
    shape: pick([[1, 3, 2, 2], [-1], value]),
    datatype: pick(['FP32', 'BYTES', value]),
  }
  const body = JSON.stringify({
    inputs: pick([[{ ...input, data: pick([value, Array(12).fill(0.5)]) }], value]),
    parameters: value,
    id: value,
  })
  return chance(0.3) ? body.slice(0, Math.floor(random() * body.length)) : body
}

const body = (): Uint8Array<ArrayBuffer> | string => {
  const image = pick(Object.values(images))
  if (chance(0.3)) return image
  if (chance(0.3)) return image.slice(0, Math.floor(random() * image.length))
  if (chance(0.2)) return Uint8Array.from({ length: Math.floor(random() * 3000) }, () => random() * 256)
  return chance(0.7) ? json() : junk()
}

const headers = (): Record<string, string> => ({
  ...(chance(0.8) && {
    'content-type': pick([
      'image/jpeg',
      'application/json',
      'multipart/form-data',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'text/plain',
      ';;;',
    ]),
  }),
  ...(chance(0.2) && { 'inference-header-content-length': pick(['0', '5', '-1', '99999999', 'x']) }),
  ...(chance(0.2) && { timeout: pick(['1', '0', '-5', '1e9', 'soon']) }),
  ...(chance(0.1) && { 'content-encoding': pick(['gzip', 'br', 'x']) }),
  ...(chance(0.1) && { accept: pick(['image/png', '*/*', 'x', '']) }),
  ...(chance(0.1) && { traceparent: pick(['00-x-y-01', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]) }),
  ...(chance(0.1) && { authorization: pick(['Bearer x', 'Basic', 'Bearer ']) }),
})

let server: StartedServer | undefined
afterEach(() => server?.kill())

test(`${requests} random requests from seed ${seed} bring nothing down`, async () => {
  server = await startedServer({})
  const url = server.url.href.replace(/\/$/, '')
  const faults: string[] = []
  const one = async (): Promise<void> => {
    const method = pick(['GET', 'POST', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'])
    const [where, sent, head] = [path(), ['GET', 'HEAD'].includes(method) ? undefined : body(), headers()]
    const response = await fetch(url + where, { method, body: sent, headers: head }).catch((error: Error) => error)
    if (response instanceof Error) return void faults.push(`${method} ${where}: ${response.message}`)
    await response.arrayBuffer().catch(() => faults.push(`${method} ${where}: its answer ends early`))
    if (response.status >= 500)
      faults.push(`${method} ${where} ${JSON.stringify(head)} ${String(sent).slice(0, 300)}: ${response.status}`)
  }
  for (let sent = 0; sent < requests; sent += 20) await Promise.all(Array.from({ length: 20 }, one))
  expect(faults).toEqual([])
  expect((await fetch(`${url}/v2/health/live`)).status).toBe(200)
  expect(await server.stop()).toBe(0)
}, 600_000)
