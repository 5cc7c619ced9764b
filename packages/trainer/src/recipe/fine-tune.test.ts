/** Ways to fine-tune, on a tiny pretrained ViT and images made up on the spot: what changes, learns and is resumed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { readSafetensors } from '@vitral/core/files'
import { deriveSeed } from '@vitral/core/tape'
import type { TrainingData } from '../data/training-data.ts'
import { assembleParts } from '../run/assemble.ts'
import { createModel } from '../run/create-model.ts'
import { openRun, recordRun, runPaths } from '../run/folder.ts'
import { Trainer } from '../run/trainer.ts'
import { defineRecipe, type RecipeOptions } from './recipe.ts'
import type { FineTune } from './types.ts'

const size = 8
const folder = mkdtempSync(join(tmpdir(), 'vitral-fine-tune-'))
const pretrained = join(folder, 'pretrained')
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(async () => {
  await useBackend('cpu')
  const model = new ViTForImageClassification({
    ...{ imageSize: size, patchSize: 4, hiddenSize: 8, numHiddenLayers: 3, numAttentionHeads: 2, intermediateSize: 16 },
    ...{ numChannels: 1, numLabels: 2, initializerRange: 0.1 },
  })
  await model.savePretrained(pretrained)
  model.dispose()
})

const recipe = (options: Partial<RecipeOptions>) =>
  defineRecipe({
    ...{ model: { pretrained, config: { hiddenDropoutProb: 0.1 } }, dataset: 'made up', transforms: 'cifar-32' },
    ...{ batchSize: 8, epochs: 3, optimizer: { name: 'adamw', lr: 0.03 } },
    ...options,
  })

/** Twenty-four images of two classes: dark and bright, with noise; in the order of (seed, epoch). */
const data: TrainingData = {
  ...{ labels: ['dark', 'bright'], multiLabel: false, trainImages: 24, evaluationImages: 8, stepsPerEpoch: 3 },
  plan: {
    examples: 24,
    content: '',
    batchSize: 8,
    dropLast: false,
    seed: 7,
    sampler: 'made up',
    transforms: [],
    batchTransforms: [],
  },
  async *train({ epoch, firstBatch }) {
    for (let batch = firstBatch; batch < 3; batch++) yield images(deriveSeed(7, epoch, batch))
  },
  async *evaluation() {
    yield images(1)
  },
  close: async () => {},
}

function images(seed: number) {
  const labels = Int32Array.from({ length: 8 }, (_, i) => deriveSeed(seed, i) % 2)
  const pixels = Float32Array.from({ length: 8 * size * size }, (_, i) => {
    const bright = labels[Math.floor(i / size ** 2)] as number
    return bright - 0.5 + (deriveSeed(seed, 100, i) / 2 ** 32 - 0.5)
  })
  return { pixelValues: { data: pixels, shape: [8, 1, size, size] as [number, number, number, number] }, labels }
}

/** Trains from the checkpoint in `out`, if it has one, until `stopAfter` steps are done. */
async function run(fineTune: FineTune, out: string, stopAfter = Number.POSITIVE_INFINITY) {
  const chosen = recipe({ fineTune })
  const model = await createModel(chosen, data)
  const processor = new ViTImageProcessor({ size: { height: size, width: size } })
  const resume = existsSync(out)
  const paths = await openRun(out, chosen, { resume })
  await recordRun(paths, chosen, {})
  const trainer = new Trainer(assembleParts({ recipe: chosen, model, processor, data }), { paths })
  const controller = new AbortController()
  const losses: number[] = []
  trainer.observe({
    onStep({ step, loss }) {
      losses.push(loss)
      if (step === stopAfter) controller.abort()
    },
  })
  if (resume) await trainer.resume()
  await trainer.train(controller.signal)
  await trainer.close()
  const parameters = new Map<string, number[]>()
  for (const [name, parameter] of model.parameters())
    parameters.set(name, [...((await parameter.data()) as Float32Array)])
  model.dispose()
  return { losses, parameters }
}

const tensorsIn = async (path: string) => (await readSafetensors(join(path, 'model.safetensors'))).tensors
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe.each<[FineTune, RegExp]>([
  ['head', /^classifier\./],
  [{ lastLayers: 1 }, /^classifier\.|^vit\.layernorm\.|\.layer\.2\./],
  [{ lora: { rank: 2, alpha: 4, targets: ['query', 'value', 'output.dense'] } }, /^classifier\.|lora_/],
])('%j', (fineTune, trains) => {
  test('learns, changes what trains, and leaves every other byte', async () => {
    const out = join(folder, `run-${JSON.stringify(fineTune).replace(/\W+/g, '-')}`)
    const { losses, parameters } = await run(fineTune, out)
    expect(mean(losses.slice(-3))).toBeLessThan(mean(losses.slice(0, 3)))
    const before = await tensorsIn(pretrained)
    for (const [name, values] of parameters) {
      const start = before.get(name)
      if (!trains.test(name)) expect([...(start?.data ?? [])]).toEqual(values)
      else if (start) expect([...start.data]).not.toEqual(values)
    }
  })

  test('stopped and resumed, it computes the same bits', async () => {
    const [straight, stopped] = [join(folder, 'straight'), join(folder, 'stopped')]
    for (const out of [straight, stopped]) rmSync(out, { recursive: true, force: true })
    const expected = await run(fineTune, straight)
    for (const stopAfter of [2, 6]) await run(fineTune, stopped, stopAfter)
    expect((await run(fineTune, stopped)).parameters).toEqual(expected.parameters)
  })
})

test('the optimizer holds state of the trainable parameters alone', async () => {
  const out = join(folder, 'state')
  await run({ lora: { rank: 2 } }, out, 1)
  const [name] = readdirSync(runPaths(out).checkpoints)
  const { tensors } = await readSafetensors(join(runPaths(out).checkpoints, name as string))
  const state = [...tensors.keys()].filter(key => key.startsWith('optimizer.'))
  expect(state).toHaveLength(2 * (3 * 2 * 2 + 2))
  for (const key of state) expect(key).toMatch(/lora_[AB]\.weight$|classifier\.(weight|bias)$/)
  expect([...tensors.keys()].filter(key => /^model\..*lora_/.test(key))).toHaveLength(3 * 2 * 2)
})

test('the best model is saved merged, and its adapters alone beside it', async () => {
  const out = join(folder, 'best')
  await run({ lora: { rank: 2, alpha: 4 } }, out)
  const { best, adapters } = runPaths(out)
  expect([...(await tensorsIn(best)).keys()].sort()).toEqual([...(await tensorsIn(pretrained)).keys()].sort())
  const merged = await ViTForImageClassification.fromPretrained(best)
  const again = await ViTForImageClassification.fromPretrained(pretrained)
  await again.loadAdapters(adapters)
  expect(again.adapters).toEqual({ rank: 2, alpha: 4, targets: ['query', 'value'] })
  again.mergeAdapters()
  for (const [name, parameter] of merged.parameters())
    expect(await again.parameters().get(name)?.data()).toEqual(await parameter.data())
  for (const model of [merged, again]) model.dispose()
})

test('adapters begin with other values for another seed', async () => {
  const firstValues = async (seed: number) => {
    const model = await createModel(recipe({ fineTune: { lora: {} }, seed }), data)
    const name = 'vit.encoder.layer.0.attention.attention.query.lora_A.weight'
    const values = [...((await model.parameters().get(name)?.data()) ?? [])]
    model.dispose()
    return values
  }
  expect(await firstValues(1)).toEqual(await firstValues(1))
  expect(await firstValues(1)).not.toEqual(await firstValues(2))
})

test('more layers than the model has are refused by the name of the field, and nothing is left', async () => {
  const before = memory().numTensors
  await expect(createModel(recipe({ fineTune: { lastLayers: 4 } }), data)).rejects.toThrow(
    "The recipe's fineTune does not fit the model. setTrainable: lastLayers is 4; expected a whole number from 1 to the model's 3 layers.",
  )
  expect(memory().numTensors).toBe(before)
})
