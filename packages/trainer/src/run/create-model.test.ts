/** What a run that starts from a pretrained model takes of it: the head of the same classes, and how images are prepared. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { png } from '../../test/png.ts'
import { transformsOf } from '../data/processor.ts'
import { defineRecipe, type RecipeOptions } from '../recipe/recipe.ts'
import { assemble, type Training } from './assemble.ts'
import { createModel } from './create-model.ts'

const root = mkdtempSync(join(tmpdir(), 'vitral-pretrained-'))
const [pretrained, bare, data] = ['pretrained', 'bare', 'data'].map(name => join(root, name)) as [
  string,
  string,
  string,
]
const processor = new ViTImageProcessor({
  size: { height: 16, width: 16 },
  resample: 'bicubic',
  imageMean: [0.4, 0.5, 0.6],
  imageStd: [0.2, 0.3, 0.1],
})

beforeAll(async () => {
  await useBackend('cpu')
  const config = {
    imageSize: 16,
    patchSize: 8,
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 8,
  }
  const model = new ViTForImageClassification({ ...config, id2label: { 0: 'blue', 1: 'red' } }, { seed: 5 })
  for (const folder of [pretrained, bare]) await model.savePretrained(folder)
  await processor.savePretrained(pretrained)
  model.dispose()
  for (const label of ['blue', 'red'])
    for (const split of ['train', 'test']) {
      mkdirSync(join(data, split, label), { recursive: true })
      for (let i = 0; i < 2; i++) writeFileSync(join(data, split, label, `${i}.png`), png(20, 20, [i, 9, 80]))
    }
})
afterAll(() => rmSync(root, { recursive: true }))

const recipe = (changed: Partial<RecipeOptions> = {}) =>
  defineRecipe({
    ...{ model: { pretrained }, dataset: 'folder', validation: 'test', transforms: 'article-fine-tune' },
    ...{ batchSize: 2, epochs: 1, optimizer: { name: 'adam', lr: 1e-3 } },
    ...changed,
  } as RecipeOptions)

async function classifierOf(labels: string[]): Promise<{ values: number[]; notes: string[] }> {
  const notes: string[] = []
  const model = await createModel(recipe(), { labels }, { onNote: note => notes.push(note) })
  const values = [...((await model.parameters().get('classifier.weight')?.data()) ?? [])]
  model.dispose()
  return { values, notes }
}

describe('the classifier of a pretrained model', () => {
  const note = `The classifier is newly initialized, since ${pretrained} has other classes or none.`
  test('a pretrained classifier is kept for the same classes alone', async () => {
    const model = await ViTForImageClassification.fromPretrained(pretrained)
    const its = [...((await model.parameters().get('classifier.weight')?.data()) ?? [])]
    model.dispose()
    expect(await classifierOf(['blue', 'red'])).toEqual({ values: its, notes: [] })
    for (const others of [
      ['cat', 'dog'],
      ['red', 'blue'],
      ['blue', 'green', 'red'],
    ]) {
      const { values, notes } = await classifierOf(others)
      expect(values.slice(0, 8)).not.toEqual(its.slice(0, 8))
      expect(notes).toEqual([note])
    }
  })
})

describe('images for a pretrained model', () => {
  async function prepared(changed: Partial<RecipeOptions> = {}): Promise<Training<ViTImageProcessor>> {
    const made = await assemble({ recipe: recipe(changed), data, workers: 0 })
    await made.dispose()
    made.model.dispose()
    return made
  }
  const its = 'resize([16,16], {"interpolation":"bicubic"}), toTensor(), normalize([0.4,0.5,0.6], [0.2,0.3,0.1])'
  const last = ({ data }: Training) => data.understood?.at(-1)

  test('images are prepared as the model’s processor says, in training too', async () => {
    const made = await prepared()
    expect(made.processor.config).toEqual(processor.config)
    expect(last(made)).toBe(`Images are prepared as for ${pretrained}: ${its}.`)
    const [resize, , normalize] = transformsOf(processor)
    const { transforms } = made.data.plan
    expect(JSON.parse(JSON.stringify(transforms))).toMatchObject([
      { name: 'resize', args: resize?.args },
      { name: 'randomHorizontalFlip' },
      { name: 'toTensor' },
      { name: 'normalize', args: normalize?.args },
    ])
  })

  test('images are prepared as the recipe says where it states its own, and the difference is said', async () => {
    const own = [
      { name: 'resize', args: [[16, 16]] },
      { name: 'toTensor', args: [] },
      {
        name: 'normalize',
        args: [
          [0.4, 0.5, 0.6],
          [0.5, 0.5, 0.5],
        ],
      },
    ]
    const made = await prepared({ transforms: { train: own, evaluation: own } })
    expect(made.processor.config).toMatchObject({ resample: 'bilinear', imageStd: [0.5, 0.5, 0.5] })
    expect(last(made)).toBe(
      `Images are not prepared as for ${pretrained}: the recipe has resize([16,16], {"interpolation":"bilinear"}), normalize([0.4,0.5,0.6], [0.5,0.5,0.5]), and the model was made for resize([16,16], {"interpolation":"bicubic"}), normalize([0.4,0.5,0.6], [0.2,0.3,0.1]).`,
    )
    const larger = await prepared({ model: { pretrained, config: { imageSize: 24 } } })
    expect(larger.processor.config).toMatchObject({ size: { height: 24, width: 24 }, resample: 'bicubic' })
    expect(last(larger)).toContain('the recipe has resize([24,24]')
  })

  test('images are prepared as the recipe says where the model has no processor', async () => {
    const made = await prepared({ model: { pretrained: bare, config: { imageSize: 16 } } })
    expect(made.processor.config.imageMean).toEqual([0.5, 0.5, 0.5])
    expect(last(made)).toContain(`${bare} has no preprocessor_config.json`)
  })
})
