/** Members of the family other than ViT: classifiers classify, bare models give their pooled features, and both explain. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { images, post } from '../support/requests.ts'

const fixtures = join(import.meta.dirname, '../../../../packages/core/test/fixtures/family')
let server: RunningServer
const ask = async (path: string): Promise<{ results: Record<string, never>[] }> =>
  (await (await fetch(new URL(path, server.url), post(images.jpeg))).json()) as never

beforeAll(async () => {
  const models = ['dinov2', 'timm-reg4-gap', 'beit', 'clip-vision'].map(name => ({
    name,
    folder: join(fixtures, name),
    backend: 'cpu' as const,
  }))
  server = await startServer({ port: 0, log: false, models })
}, 60_000)
afterAll(async () => {
  expect(await server.stop()).toBe(true)
}, 60_000)

test('classifiers of other types give predictions and what their head reads', async () => {
  for (const [name, size] of [
    ['dinov2', 96],
    ['timm-reg4-gap', 48],
    ['beit', 48],
  ] as const) {
    const [classified] = (await ask(`v1/models/${name}/classify`)).results
    expect(classified?.predictions).toHaveLength(5)
    const [embedded] = (await ask(`v1/models/${name}/embed`)).results
    expect(embedded?.features).toHaveLength(size)
    const [explained] = (await ask(`v1/models/${name}/explain`)).results
    expect((explained as unknown as { attention: { values: number[] } }).attention.values).toHaveLength(16)
  }
})

test('a vision tower gives its pooled features', async () => {
  const [embedded] = (await ask('v1/models/clip-vision/embed')).results
  expect(embedded?.features).toHaveLength(48)
})
