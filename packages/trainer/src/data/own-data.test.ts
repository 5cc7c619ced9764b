/** Runs on data sets of one's own: their validation split, what is refused, and what the report says of their images. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { type Dataset, type MemoryExample, memoryDataset, transforms } from '@vitral/datasets'
import { defineRecipe } from '../recipe/recipe.ts'
import { readEvaluation } from '../report/evaluation-file.ts'
import { runPaths } from '../run/folder.ts'
import { startRun } from '../run/start-run.ts'
import type { DataSource } from './validation-split.ts'

const size = 8
const folder = mkdtempSync(join(tmpdir(), 'vitral-own-data-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() => useBackend('cpu'))

const chain = [transforms.toTensor(), transforms.normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]
const recipe = defineRecipe({
  model: {
    config: {
      ...{ imageSize: size, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 },
      intermediateSize: 8,
    },
  },
  ...{ dataset: 'shades', transforms: { train: chain, evaluation: chain }, validation: 0.25, batchSize: 8, epochs: 1 },
  optimizer: { name: 'adamw', lr: 1e-3 },
})

/** Grey images, dark and bright; the names begin with `name`. */
async function shades(count: number, name: string, classes = ['dark', 'bright']): Promise<Dataset> {
  const examples = Array.from({ length: count }, (_, i): MemoryExample => {
    const data = new Uint8Array(size * size * 3).fill((i % 2 ? 200 : 40) + i)
    return { image: { data, width: size, height: size, channels: 3 }, label: i % 2 }
  })
  const dataset = await memoryDataset(examples, classes)
  return { ...dataset, nameOf: index => `${name}-${index}.png` }
}

let runs = 0
async function run(data: DataSource, changed: Partial<typeof recipe> = {}) {
  const out = join(folder, `run-${runs++}`)
  const { trainer, data: opened, model } = await startRun({ recipe: { ...recipe, ...changed }, data, out, workers: 0 })
  const result = await trainer.train()
  await trainer.close()
  model.dispose()
  return { out, result, opened, reported: await readEvaluation(runPaths(out).evaluation) }
}

describe('startRun with data sets of one’s own', () => {
  test('holds a share of one alone out, names its images in the report, and shows where the model looked', async () => {
    const before = memory().numTensors
    const { out, opened, reported } = await run(await shades(32, 'grey'))
    expect([opened.trainImages, opened.evaluationImages, opened.test]).toEqual([24, 8, undefined])
    const shown = [...(reported?.mistakes ?? []), ...(reported?.hits ?? [])]
    expect(shown).toHaveLength(8)
    for (const { name } of shown) expect(name).toMatch(/^grey-\d+\.png$/)
    for (const { attention } of reported?.mistakes ?? []) expect(attention).toStartWith('data:image/png;base64,')
    for (const { attention } of reported?.hits ?? []) expect(attention).toBe(undefined)
    const page = readFileSync(runPaths(out).report, 'utf8')
    for (const { name } of shown) expect(page).toContain(`<code>${name}</code>`)
    if (reported?.mistakes.length) expect(page).toContain('alt="where the model looked"')
    expect(memory().numTensors).toBe(before)
  })

  test('startRun takes sets for validation and test, whose mistakes are then named', async () => {
    const data = { train: await shades(8, 'a'), validation: await shades(4, 'b'), test: await shades(6, 'c') }
    const { opened, result, reported } = await run(data)
    expect([opened.trainImages, opened.evaluationImages, opened.test?.images]).toEqual([8, 4, 6])
    expect(result.test).toEqual({ accuracy: expect.any(Number), loss: expect.any(Number) })
    const shown = [...(reported?.mistakes ?? []), ...(reported?.hits ?? [])]
    for (const { name } of shown) expect(name).toMatch(/^c-/)
    const chosenByTest = await run(data, { validation: 'test' })
    expect([chosenByTest.opened.evaluationImages, chosenByTest.opened.test]).toEqual([6, undefined])
  })

  test('startRun refuses data sets with other classes, and names what one lacks', async () => {
    const train = await shades(8, 'a')
    await expect(run({ train, test: await shades(4, 'b', ['bright', 'dark']) })).rejects.toThrow(
      'The data set for test has the classes bright, dark; expected those of training, in their order: dark, bright.',
    )
    await expect(run(train, { validation: 'test' })).rejects.toThrow('the data has no `test`; expected { train, test }')
    const { labels, ...unlabelled } = train
    await expect(run(unlabelled)).rejects.toThrow('give a data set of your own `labels` or { train, validation }')
  })

  test('startRun resumes with the same data set alone', async () => {
    const options = { recipe: { ...recipe, epochs: 2 }, out: join(folder, 'resumed'), workers: 0 }
    const part = async (data: DataSource, stopAfter: number, resume: boolean) => {
      const controller = new AbortController()
      const observers = [{ onStep: ({ step }: { step: number }) => void (step === stopAfter && controller.abort()) }]
      const { trainer, model } = await startRun({ ...options, data, observers, resume })
      try {
        return await trainer.train(controller.signal)
      } finally {
        await trainer.close()
        model.dispose()
      }
    }
    await part(await shades(32, 'a'), 2, false)
    await expect(part(await shades(40, 'a'), 0, true)).rejects.toThrow('examples')
    expect(await part(await shades(32, 'a'), 0, true)).toMatchObject({ finished: true, epochs: 2, steps: 6 })
  })
})
