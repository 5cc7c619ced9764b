/** Whole runs of several processes: what they compute, who writes, how they stop, and how others go on with them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunScenario, scenarios } from '../../test/ddp-scenarios.ts'
import { type Ranks, startRanks } from '../../test/ranks.ts'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { alone } from './collectives.ts'

type Result = Awaited<ReturnType<typeof scenarios.run>>

const folder = mkdtempSync(join(tmpdir(), 'vitral-ddp-'))
let ranks: Ranks
beforeAll(() => {
  writeTinyCifar(folder)
  ranks = startRanks(3)
})
afterAll(() => {
  ranks.end()
  rmSync(folder, { recursive: true })
})

/** Every image augmented and mixed, averages, a scaler, clipping; 40 images in batches of 8, 20 in evaluations of 3. */
const recipe = defineRecipe({
  model: {
    config: { imageSize: 32, patchSize: 16, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, mlpRatio: 2 },
  },
  dataset: 'cifar10',
  validation: 'test',
  transforms: 'cifar-32',
  batchTransforms: [{ name: 'mixUpOrCutMix', args: [] }],
  batchSize: 8,
  evalBatchSize: 3,
  epochs: 2,
  optimizer: { name: 'adamw', lr: 0.01, eps: 1e-4 },
  clipGradNorm: 1,
  gradScaler: { initScale: 1024, growthInterval: 3 },
  ema: { decay: 0.5 },
})

let runs = 0
const newFolder = (): string => join(folder, `run-${runs++}`)

/** The first process's folder is `out`; each other is given one of its own, which is to stay absent. */
async function inProcesses(
  worldSize: number,
  out: string,
  options: (rank: number) => Partial<RunScenario> = () => ({}),
): Promise<PromiseSettledResult<Result>[]> {
  const outOf = (rank: number): string => (rank === 0 ? out : `${out}-of-${rank}`)
  const settled = await ranks.run(worldSize, 'run', rank => ({
    ...{ recipe, data: folder, out: outOf(rank) },
    ...options(rank),
  }))
  for (let rank = 1; rank < worldSize; rank++) expect(existsSync(outOf(rank))).toBe(false)
  return settled
}

function resultsOf(settled: PromiseSettledResult<Result>[]): Result[] {
  const results = settled.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
  for (const { files, ...result } of results)
    expect(result).toEqual({ ...result, reports: results[0]?.reports ?? [], parameters: results[0]?.parameters ?? {} })
  return results
}

const inOne = (options: Partial<RunScenario> & { out: string }): Promise<Result> =>
  scenarios.run(alone, { recipe, data: folder, ...options })

function expectClose(given: Result, expected: Result): void {
  for (const [name, values] of Object.entries(expected.parameters)) {
    const furthest = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (given.parameters[name]?.[i] as number))),
      0,
    )
    expect({ name, furthest, isClose: furthest < 5e-6 }).toMatchObject({ name, isClose: true })
  }
}

describe('a run of several processes', () => {
  test('several processes have the reports and parameters of one, to the last bit, and the first alone writes', async () => {
    const out = newFolder()
    const [first, second] = resultsOf(await inProcesses(2, out)) as [Result, Result]
    const one = await inOne({ recipe: { ...recipe, microBatchSize: 4 }, out: newFolder() })
    expect(first.reports).toEqual(one.reports)
    expect(first.parameters).toEqual(one.parameters)
    expect(first.result).toEqual(one.result)
    expect(first.files).toEqual([
      'best',
      'checkpoints',
      'evaluation.json',
      'last',
      'metrics.jsonl',
      'recipe.json',
      'report.html',
    ])
    expect(second.files).toEqual([])
    expect(first.reports.filter(({ confusion }) => confusion)).toHaveLength(2) // evaluations, of all 20 images
    expect(first.reports.at(-1)).toMatchObject({ count: 20 })
  })

  test('a run that is stopped in one process stops in all after that step; other numbers of processes go on to the same end', async () => {
    const out = newFolder()
    const stopped = resultsOf(await inProcesses(3, out, rank => ({ stopAfter: rank === 2 ? 3 : undefined })))
    expect(stopped.map(({ result: { finished, steps } }) => ({ finished, steps }))).toEqual(
      Array(3).fill({ finished: false, steps: 3 }),
    )
    const again = resultsOf(
      await inProcesses(2, out, rank => ({ resume: true, stopAfter: rank === 0 ? 7 : undefined })),
    )
    expect(again[1]?.result).toMatchObject({ finished: false, steps: 7 })
    expect(again[0]?.reports[0]).toMatchObject({ step: 4, images: 32 })
    const [ended] = resultsOf(await inProcesses(3, out, () => ({ resume: true }))) as [Result]
    expect(ended.result).toMatchObject({ finished: true, steps: 10, epochs: 2 })
    expect(readdirSync(join(out, 'checkpoints'))).toEqual(['step-000000007.safetensors', 'step-000000010.safetensors'])
    expectClose(ended, await inOne({ out: newFolder() }))

    const byOne = newFolder()
    await inProcesses(2, byOne, rank => ({ stopAfter: rank === 0 ? 4 : undefined }))
    expectClose(await inOne({ out: byOne, resume: true }), ended)
  })

  test('a run stopped at any step and resumed, in mixed precision, has the bits of one that was not', async () => {
    const mixed: Recipe = {
      ...recipe,
      precision: 'bfloat16',
      optimizer: { name: 'adamw', lr: 1 },
      gradScaler: { initScale: 2 ** 127, growthInterval: 1 }, // with gradients so large it leaves steps out
    }
    const [whole] = resultsOf(await inProcesses(2, newFolder(), () => ({ recipe: mixed }))) as [Result]
    const skipped = whole.reports.filter(report => 'lr' in report && report.gradNorm === undefined)
    expect(skipped.map(({ step }) => step)).toContain(3)
    const out = newFolder()
    const reports: Result['reports'] = []
    let last: Result | undefined
    for (const stopAfter of [1, 3, 5, 8, undefined]) {
      const options = { recipe: mixed, resume: reports.length > 0, stopAfter }
      const [part] = resultsOf(await inProcesses(2, out, () => options)) as [Result]
      reports.push(...part.reports)
      last = part
    }
    expect(reports).toEqual(whole.reports)
    expect(last?.parameters).toEqual(whole.parameters)
    expect(last?.result).toEqual(whole.result)
  })

  test('evaluated within an epoch, stopped early and given more epochs, it does what one process does', async () => {
    const stopping: Recipe = {
      ...{ ...recipe, microBatchSize: 4, evalSteps: 2, epochs: 4 },
      earlyStopping: { patience: 3, minDelta: 0.9 }, // the first score is never that much less than another
    }
    const one = await inOne({ recipe: stopping, out: newFolder() })
    expect(one.result).toMatchObject({ finished: true, stoppedEarly: true, epochs: 1, steps: 6 })
    const [whole] = resultsOf(await inProcesses(2, newFolder(), () => ({ recipe: stopping }))) as [Result]
    expect({ ...whole, files: [] }).toEqual({ ...one, files: [] })

    const out = newFolder()
    const short: Recipe = { ...recipe, evalSteps: 2, epochs: 1 }
    await inProcesses(2, out, rank => ({ recipe: short, stopAfter: rank === 1 ? 2 : undefined }))
    const [first] = resultsOf(await inProcesses(2, out, () => ({ recipe: short, resume: true }))) as [Result]
    expect(first.result).toMatchObject({ finished: true, epochs: 1, steps: 5 })
    const longer = { recipe: { ...short, epochs: 2 } }
    const [last] = resultsOf(await inProcesses(2, out, () => ({ ...longer, resume: true }))) as [Result]
    const [straight] = resultsOf(await inProcesses(2, newFolder(), () => longer)) as [Result]
    expect(last.result).toEqual(straight.result)
    expect(last.parameters).toEqual(straight.parameters)
  })

  test('a run stopped during an evaluation does it again', async () => {
    const out = newFolder()
    const stopped = resultsOf(await inProcesses(2, out, rank => ({ stopInEvaluation: rank === 1 })))
    expect(stopped.map(({ result }) => result)).toEqual(
      Array(2).fill({ finished: false, epochs: 0, steps: 5, best: undefined, test: undefined }),
    )
    const [first] = resultsOf(await inProcesses(2, out, () => ({ resume: true }))) as [Result]
    expect(first.result).toMatchObject({ finished: true, steps: 10 })
  })

  test('the best model is tested by all, though the first alone can read it', async () => {
    const held: Recipe = { ...recipe, validation: 0.25, batchSize: 10, microBatchSize: 5 }
    const [two] = resultsOf(await inProcesses(2, newFolder(), () => ({ recipe: held }))) as [Result]
    const one = await inOne({ recipe: held, out: newFolder() })
    expect(two.reports).toEqual(one.reports)
    expect(two.result.test).toEqual(one.result.test)
    expect(two.reports.at(-1)).toMatchObject({ count: 20 })
  })

  test('a difference between the processes is named', async () => {
    const settled = await inProcesses(2, newFolder(), rank => ({
      recipe: rank === 1 ? { ...recipe, seed: 3, batchSize: 4 } : recipe,
    }))
    for (const result of settled)
      expect(result.status === 'rejected' && (result.reason as Error).message).toContain(
        'Rank 1 was started with something else than rank 0: recipe.batchSize is 4, of rank 0 8; recipe.seed is 3, of rank 0 42.',
      )
  })

  test('other data in one of them is named', async () => {
    const other = join(folder, 'other')
    mkdirSync(other)
    writeTinyCifar(other)
    const names = join(other, 'cifar-10-batches-bin/batches.meta.txt')
    writeFileSync(names, readFileSync(names, 'utf8').replace('cat', 'tiger'))
    const out = newFolder()
    for (const result of await inProcesses(2, out, rank => ({ data: rank === 1 ? other : folder })))
      expect(result.status === 'rejected' && (result.reason as Error).message).toMatch(
        /^Rank 1 has other data than rank 0: plan\.content is .*class\.3 is "tiger", of rank 0 "cat"\./,
      )
    expect(existsSync(join(out, 'recipe.json'))).toBe(false)
  })

  test('fewer images in a batch than processes are refused', async () => {
    const settled = await inProcesses(3, newFolder(), () => ({ recipe: { ...recipe, batchSize: 2 } }))
    for (const result of settled)
      expect(result.status === 'rejected' && (result.reason as Error).message).toContain(
        'The batches of 2 images are to be shared by 3 processes',
      )
  })
})
