/** Images that cannot be decoded, alone in a batch or in a process's share of it: one process and several compute the same. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunScenario, scenarios } from '../../test/ddp-scenarios.ts'
import { png } from '../../test/png.ts'
import { type Ranks, startRanks } from '../../test/ranks.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import { alone } from './collectives.ts'

type Result = Awaited<ReturnType<typeof scenarios.run>>

const root = mkdtempSync(join(tmpdir(), 'vitral-broken-'))
let ranks: Ranks
beforeAll(() => {
  ranks = startRanks(2)
})
afterAll(() => {
  ranks.end()
  rmSync(root, { recursive: true })
})

const colours = { red: [220, 30, 30], blue: [30, 30, 220] } as const

/** @param broken of each class, behind those that are whole */
function images(name: string, { whole, broken }: { whole: number; broken: number }): string {
  const folder = join(root, name)
  for (const split of ['train', 'test'])
    for (const [label, colour] of Object.entries(colours)) {
      mkdirSync(join(folder, split, label), { recursive: true })
      const [red, green, blue] = colour
      for (let i = 0; i < whole + broken; i++)
        writeFileSync(
          join(folder, split, label, `${split}${label}${i}.png`),
          i < whole ? png(8, 8, (x, y) => [red, green + x + i, blue + y]) : 'not an image',
        )
    }
  return folder
}

const normalize = {
  name: 'normalize',
  args: [
    [0.5, 0.5, 0.5],
    [0.5, 0.5, 0.5],
  ],
}
const chain = [{ name: 'toTensor', args: [] }, normalize]
const recipe = defineRecipe({
  model: {
    config: { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, mlpRatio: 2 },
  },
  dataset: 'folder',
  validation: 'test',
  transforms: { train: [{ name: 'randomHorizontalFlip', args: [] }, ...chain], evaluation: chain },
  batchTransforms: [{ name: 'mixUp', args: [] }],
  batchSize: 2,
  microBatchSize: 1,
  evalBatchSize: 2,
  epochs: 3,
  optimizer: { name: 'adamw', lr: 0.01 },
})

const inOne = (options: Pick<RunScenario, 'out' | 'data'> & Partial<RunScenario>): Promise<Result> =>
  scenarios.run(alone, { recipe, skipBroken: true, ...options })

test('two processes compute what one does, and tell of each image once', async () => {
  const data = images('some', { whole: 5, broken: 2 })
  const one = await inOne({ data, out: join(root, 'one') })
  expect(one.result).toMatchObject({ finished: true, epochs: 3, steps: 21 })
  expect(one.reports.filter(({ confusion }) => confusion)).toHaveLength(3)
  expect(one.reports.at(-1)).toMatchObject({ count: 10 })
  // Some batches had no image: they were no steps.
  expect(one.reports.length - 3).toBeLessThan(21)
  const settled = await ranks.run(2, 'run', rank => ({
    recipe,
    data,
    skipBroken: true,
    out: join(root, `two-${rank}`),
  }))
  const [first, second] = settled.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  }) as [Result, Result]
  for (const rank of [first, second]) {
    expect(rank.reports).toEqual(one.reports)
    expect(rank.parameters).toEqual(one.parameters)
    expect(rank.result).toEqual(one.result)
  }
  const told = [...(first.skipped ?? []), ...(second.skipped ?? [])]
  expect(told.sort()).toEqual([...(one.skipped ?? [])].sort())
  expect(told).toHaveLength(8)
})

test('a run that was stopped at a batch without images goes on', async () => {
  const data = images('again', { whole: 5, broken: 2 })
  const [straight, stopped] = [join(root, 'straight'), join(root, 'stopped')]
  const expected = await inOne({ data, out: straight })
  const steps = expected.reports.flatMap(({ step, confusion }) => (confusion ? [] : [step as number]))
  const before = steps.find((step, i) => steps[i + 1] !== step + 1) as number // the next batch has no image
  await inOne({ data, out: stopped, stopAfter: before })
  expect((await inOne({ data, out: stopped, resume: true })).parameters).toEqual(expected.parameters)
})

test('too many end the run at the same place in any number of processes', async () => {
  const data = images('many', { whole: 8, broken: 6 })
  const message = '11 of 28 images cannot be decoded, which is too many to leave out'
  await expect(inOne({ data, out: join(root, 'many-one') })).rejects.toThrow(message)
  const settled = await ranks.run(2, 'run', rank => ({
    recipe,
    data,
    skipBroken: true,
    out: join(root, `many-${rank}`),
  }))
  for (const result of settled)
    expect(`${(result as PromiseRejectedResult).reason}`).toContain('of 28 images cannot be decoded')
})

test('no whole image at all is an error', async () => {
  const data = images('none', { whole: 0, broken: 3 })
  await expect(inOne({ data, out: join(root, 'none-run') })).rejects.toThrow(
    /None of the 6 images can be decoded\. .*png cannot be decoded/,
  )
})
