/** A model with a single label, such as for defects or faces, over HTTP. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { images, post } from '../support/requests.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

let server: RunningServer
const at = (path: string): URL => new URL(path, server.url)
const json = async (response: Response): Promise<never> => (await response.json()) as never

beforeAll(async () => {
  const folder = await tinyModel({ numLabels: 1 })
  server = await startServer({ port: 0, log: false, models: [{ name: 'one', folder, backend: 'cpu' }] })
}, 60_000)
afterAll(async () => {
  await server.stop()
  removeFolders()
}, 60_000)

test('a model of one label answers the sigmoid of its logit on every route', async () => {
  const parameters = { classification: 1 }
  const raw = { 'Inference-Header-Content-Length': '0', 'content-type': 'application/octet-stream' }
  const answer = await fetch(at('v2/models/one/infer'), post(images.jpeg, raw))
  const body = await answer.bytes()
  const head = Number(answer.headers.get('Inference-Header-Content-Length'))
  const logit = new DataView(body.buffer, body.byteOffset + head).getFloat32(0, true)
  const score = expect.closeTo(1 / (1 + Math.exp(-logit)), 5)
  const { results }: { results: { predictions: unknown[] }[] } = await json(
    await fetch(at('v1/models/one/classify'), post(images.jpeg)),
  )
  expect(results).toEqual([{ predictions: [{ label: 'LABEL_0', index: 0, score }] }] as never)
  expect(await json(await fetch(at('models/one'), post(images.jpeg)))).toEqual([{ label: 'LABEL_0', score }] as never)
  const inputs = [{ name: 'image', shape: [1], datatype: 'BYTES', data: [images.jpeg.toBase64()] }]
  const { outputs }: { outputs: { data: string[] }[] } = await json(
    await fetch(at('v2/models/one/infer'), post({ inputs, outputs: [{ name: 'logits', parameters }] })),
  )
  const [value, index, label] = outputs[0]?.data[0]?.split(':') ?? []
  expect([Number(value), index, label]).toEqual([expect.closeTo(logit, 5) as never, '0', 'LABEL_0'])
})
