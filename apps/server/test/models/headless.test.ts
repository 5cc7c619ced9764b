/** A model without a classifier (DINO, ImageNet-21k): it gives features, and rejects requests for classes. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { tensor4d } from '@tensorflow/tfjs-core'
import { ViTModel } from '@vitral/core'
import { type RunningServer, startServer } from '../../src/serve.ts'
import { failure, images, post } from '../support/requests.ts'
import { pixelsOf, removeFolders, tinyModel } from '../support/tiny-model.ts'

let folder: string
let server: RunningServer
const at = (path: string): URL => new URL(path, server.url)
const json = async (response: Response): Promise<never> => (await response.json()) as never

beforeAll(async () => {
  folder = await tinyModel({ isHeadless: true })
  const backend = 'cpu' as const
  const models = [
    { name: 'dino', folder, backend },
    { name: 'later', folder, backend, load: 'on-demand' as const },
  ]
  server = await startServer({ port: 0, log: false, models })
}, 60_000)
afterAll(async () => {
  expect(await server.stop()).toBe(true)
  removeFolders()
}, 60_000)

const pixels = pixelsOf(2)
const inputs = [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data: Array.from(pixels) }]
const output = (name: string) => post({ inputs, outputs: [{ name }] })

test('a model without a classifier is described as such', async () => {
  const { models }: { models: { classifies: boolean; labels: string[] }[] } = await json(await fetch(at('v1/models')))
  expect(models.map(({ classifies, labels }) => [classifies, labels])).toEqual([
    [false, []],
    [false, []],
  ])
  const { outputs }: { outputs: object[] } = await json(await fetch(at('v2/models/dino')))
  expect(outputs).toEqual([{ name: 'features', datatype: 'FP32', shape: [-1, 16] }])
  expect((await fetch(at('v2/health/ready'))).status).toBe(200)
})

test('a model without a classifier gives its features', async () => {
  const model = await ViTModel.fromPretrained(folder)
  const { lastHiddenState } = model.forward(tensor4d(pixels, [1, 3, 16, 16]))
  const expected = [...(await lastHiddenState.data())].slice(0, 16)
  const { outputs }: { outputs: { data: number[] }[] } = await json(
    await fetch(at('v2/models/dino/infer'), output('features')),
  )
  for (const [i, value] of expected.entries()) expect(outputs[0]?.data[i]).toBeCloseTo(value, 4)
  for (const name of ['dino', 'later']) {
    const { results }: { results: { features: number[] }[] } = await json(
      await fetch(at(`v1/models/${name}/embed`), post(images.jpeg)),
    )
    expect(results[0]?.features).toHaveLength(16)
  }
})

test('a model without a classifier rejects requests for classes, also before it is loaded', async () => {
  for (const name of ['dino', 'later'])
    for (const [path, init] of [
      [`v1/models/${name}/classify`, post(images.jpeg)],
      [`models/${name}`, post(images.jpeg)],
      [`v2/models/${name}/infer`, output('logits')],
      [`v2/models/${name}/infer`, post({ inputs, outputs: [{ name: 'features' }, { name: 'logits' }] })],
    ] as const)
      expect([path, await failure(await fetch(at(path), init))]).toEqual([path, [422, 'no_classifier']])
})

test('a model without a classifier shows its attention, as numbers and as a picture', async () => {
  const { results }: { results: { predictions: unknown[]; attention: { values: number[] } }[] } = await json(
    await fetch(at('v1/models/dino/explain'), post(images.jpeg)),
  )
  expect(results[0]?.predictions).toEqual([])
  expect(results[0]?.attention.values).toHaveLength(4)
  expect((await fetch(at('v1/models/dino/explain'), post(images.jpeg, { accept: 'image/png' }))).status).toBe(200)
})
