/** Images and calls that the tests share. */
import sharp from 'sharp'
import { createApp } from '../../src/app.ts'
import type { ConfigInput } from '../../src/index.ts'
import { createFakeEngine, type FakeEngine } from './fake-engine.ts'

const picture = sharp({ create: { width: 8, height: 6, channels: 3, background: '#c84' } })

export const images: Record<'jpeg' | 'png' | 'webp' | 'gif', Uint8Array<ArrayBuffer>> = {
  jpeg: new Uint8Array(await picture.jpeg().toBuffer()),
  png: new Uint8Array(await picture.png().toBuffer()),
  webp: new Uint8Array(await picture.webp().toBuffer()),
  gif: new Uint8Array(await picture.gif().toBuffer()),
}

export function start(config: ConfigInput = {}): { engine: FakeEngine; app: ReturnType<typeof createApp> } {
  const engine = createFakeEngine()
  return { engine, app: createApp({ engine, config: { log: false, ...config } }) }
}

/** A POST request; its content type is JSON's for an object, an image's for bytes. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  if (body instanceof Uint8Array)
    return { method: 'POST', body: body as BodyInit, headers: { 'content-type': 'image/jpeg', ...headers } }
  if (body instanceof FormData) return { method: 'POST', body, headers }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } }
}

/** What the Open Inference Protocol puts the length of a request's JSON in. */
export const headerLength = 'Inference-Header-Content-Length'

/** A POST request of JSON, with `binary` behind it. */
export function withBinary(json: object, binary: Uint8Array, length?: string): RequestInit {
  const head = Buffer.from(JSON.stringify(json))
  const body = new Uint8Array(Buffer.concat([head, binary]))
  return post(body, { [headerLength]: length ?? `${head.length}`, 'content-type': 'application/octet-stream' })
}

/** Files as the protocol has them in a binary tensor: of each its length, then its bytes. */
export function fileTensor(...files: Uint8Array[]): Uint8Array {
  return Buffer.concat(files.flatMap(bytes => [new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes]))
}

export function form(...files: Uint8Array<ArrayBuffer>[]): FormData {
  const data = new FormData()
  for (const [i, file] of files.entries()) data.append('image', new Blob([file]), `${i}.jpg`)
  return data
}

/** Status and code of an error, after a look at its form. */
export async function failure(response: Response): Promise<[number, string]> {
  const body = (await response.json()) as { error: string; code: string }
  if (typeof body.error !== 'string' || Object.keys(body).length !== 2)
    throw new Error(`no error as agreed: ${JSON.stringify(body)}`)
  if (/\/tmp|\/home|node_modules|\.ts|\n/.test(body.error)) throw new Error(`tells too much: ${body.error}`)
  return [response.status, body.code]
}
