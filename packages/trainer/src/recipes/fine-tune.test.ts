/** The recipe of `vitral finetune`: what it takes from the model, and what its choices change. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'
import { png } from '../../test/png.ts'
import type { RecipeTransforms } from '../recipe/types.ts'
import { type FineTuneRecipeOptions, fineTuneRecipe } from './fine-tune.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-fine-tune-recipe-'))
const [model, data] = [join(folder, 'model'), join(folder, 'data')]
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(async () => {
  await useBackend('cpu')
  const tiny = new ViTForImageClassification({
    ...{ imageSize: [16, 24], patchSize: 8, hiddenSize: 384, numHiddenLayers: 1, numAttentionHeads: 2 },
    ...{ intermediateSize: 8, numLabels: 2 },
  })
  await tiny.savePretrained(model)
  tiny.dispose()
  await new ViTImageProcessor({
    ...{ size: { height: 16, width: 24 }, resample: 'bicubic' },
    ...{ imageMean: [0.1, 0.2, 0.3], imageStd: [0.4, 0.5, 0.6] },
  }).savePretrained(model)
  for (const name of ['cat', 'dog'])
    for (const i of [0, 1, 2]) {
      mkdirSync(join(data, name), { recursive: true })
      writeFileSync(
        join(data, name, `${i}.png`),
        png(4, 4, () => [i, i, i]),
      )
    }
})

const made = (options: Partial<FineTuneRecipeOptions> = {}) =>
  fineTuneRecipe({ model, dataset: 'folder', data, ...options })
const chains = async (options: Partial<FineTuneRecipeOptions> = {}) =>
  (await made(options)).transforms as RecipeTransforms
const names = (chain: readonly TransformSpec[]) => chain.map(({ name }) => name)
const end = [
  { name: 'toTensor', args: [] },
  { name: 'normalize', args: [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]] }, // biome-ignore format: a chain's line
]

describe('fineTuneRecipe', () => {
  test('evaluates images as the model’s processor prepares them, and trains on parts of them', async () => {
    const { train, evaluation } = await chains()
    expect(evaluation).toEqual([{ name: 'resize', args: [[16, 24], { interpolation: 'bicubic' }] }, ...end])
    expect(train).toEqual([
      { name: 'randomResizedCrop', args: [[16, 24], { interpolation: 'bicubic', scale: [0.5, 1] }] },
      { name: 'randomHorizontalFlip', args: expect.any(Array) },
      ...end,
    ])
    expect((await made()).model).toEqual({ pretrained: model })
  })

  test('augments as much as is asked for', async () => {
    const none = await chains({ augment: 'none' })
    expect(none.train).toEqual(none.evaluation)
    expect(names((await chains({ augment: 'strong' })).train)).toContain('trivialAugmentWide')
  })

  test('fineTuneRecipe gives another size to the transforms and to the model', async () => {
    const { train, evaluation } = await chains({ size: 32 })
    expect([train[0]?.args[0], evaluation[0]?.args[0]]).toEqual([[32, 32], [32, 32]]) // biome-ignore format: one line
    expect((await made({ size: 32 })).model).toEqual({ pretrained: model, config: { imageSize: [32, 32] } })
  })

  test('the learning rate suits what trains and how wide the model is', async () => {
    const rates = await Promise.all(
      (['all', 'head', 'lora'] as const).map(async tune => (await made({ tune })).optimizer.lr),
    )
    expect(rates).toEqual([1e-4, 2e-3, 2e-3]) // twice those of a hidden size of 768
    expect((await made({ tune: 'lora' })).fineTune).toEqual({
      lora: { rank: 16, alpha: 16, targets: ['query', 'value'] },
    })
  })

  test('the loss is that of images with several classes, where the data has such', async () => {
    const list = join(folder, 'list.jsonl')
    const lines = [0, 1].map(i => JSON.stringify({ path: `data/cat/${i}.png`, labels: i ? ['cat', 'pet'] : [] }))
    writeFileSync(list, lines.join('\n'))
    expect((await made({ dataset: 'manifest', data: list })).loss).toEqual({ name: 'binary-cross-entropy' })
    expect((await made()).loss).toEqual({ name: 'cross-entropy' })
  })
})
