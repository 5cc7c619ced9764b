/** Sweeps of a tiny ViT on made-up images: what is tried, kept, gone on with and compared. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import { gridSearch } from './search.ts'
import { type SweepOptions, sweep } from './sweep.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-sweep-'))
const recipe = defineRecipe({
  model: { config: { imageSize: 32, patchSize: 16, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 } },
  dataset: 'cifar10',
  transforms: 'cifar-32',
  batchSize: 20,
  epochs: 2,
  optimizer: { name: 'adamw', lr: 1e-2 },
})
const trials = gridSearch(['optimizer.lr=1e-2,1e-5', 'batchSize=20,40'])

const run = (name: string, options: Partial<SweepOptions> = {}) =>
  sweep({ recipe, trials, data: folder, out: join(folder, name), ...options })

/** All but what the clock decides. */
const comparable = ({ trials }: Awaited<ReturnType<typeof sweep>>) =>
  trials.map(({ name, settings, status, best }) => ({ name, settings, status, best }))

beforeAll(async () => {
  writeTinyCifar(folder)
  await useBackend('cpu')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('sweep', () => {
  let whole: Awaited<ReturnType<typeof sweep>>
  beforeAll(async () => {
    const before = memory().numTensors
    whole = await run('whole')
    expect(memory().numTensors).toBe(before)
  })

  test('trains each trial in a folder of its own, and has the most accurate first', () => {
    expect(whole.finished).toBe(true)
    expect(readdirSync(join(folder, 'whole')).sort()).toEqual([
      ...['sweep.json', 'trial-001', 'trial-002', 'trial-003', 'trial-004'],
    ])
    expect(whole.trials.map(({ settings }) => settings).toSorted()).toEqual(trials.toSorted())
    const accuracies = whole.trials.map(({ best }) => best?.accuracy as number)
    expect(accuracies).toEqual(accuracies.toSorted((a, b) => b - a))
    for (const { status, out, settings } of whole.trials) {
      expect(status).toBe('finished')
      const { recipe: used } = JSON.parse(readFileSync(join(out, 'recipe.json'), 'utf8'))
      expect(settings).toEqual([`optimizer.lr=${used.optimizer.lr}`, `batchSize=${used.batchSize}`])
    }
  })

  test('a sweep that is stopped and resumed does no finished trial again, and ends with the same numbers', async () => {
    const controller = new AbortController()
    const trained: number[] = []
    const onTrial: SweepOptions['onTrial'] = (_, { number, run }) => {
      trained.push(number)
      run.trainer.observe({
        onStep: ({ step }) => {
          if (number === 2 && step === 1) controller.abort()
        },
      })
    }
    const stopped = await run('stopped', { signal: controller.signal, onTrial })
    expect(stopped.finished).toBe(false)
    expect(stopped.trials.map(({ status }) => status).sort()).toEqual(['finished', 'stopped', 'waiting', 'waiting'])

    const checkpoint = join(folder, 'stopped/trial-001/metrics.jsonl')
    const before = statSync(checkpoint).mtimeMs
    const resumed = await run('stopped', { resume: true, trials: [], onTrial: (_, { number }) => trained.push(number) })
    expect(trained).toEqual([1, 2, 2, 3, 4])
    expect(statSync(checkpoint).mtimeMs).toBe(before)
    expect(comparable(resumed)).toEqual(comparable(whole))
    const steps = readFileSync(join(folder, 'stopped/trial-002/metrics.jsonl'), 'utf8').match(/"event":"step"/g)
    expect(steps).toHaveLength(2)
  })

  test('a sweep that is resumed with more values has more trials', async () => {
    await run('more', { trials: [['optimizer.lr=0.01']] })
    const { trials } = await run('more', { resume: true, trials: [['optimizer.lr=0.001'], ['optimizer.lr=0.01']] })
    expect(trials.map(({ name, settings }) => [name, ...settings].join(' ')).sort()).toEqual([
      ...['trial-001 optimizer.lr=0.01', 'trial-002 optimizer.lr=0.001'],
    ])
  })

  test('a trial that diverges is a result, one that fails is tried again; neither ends the sweep', async () => {
    const trials = [['optimizer.lr=1e38'], ['model.config.hiddenSize=9'], ['optimizer.lr=0.01']]
    const first = await run('failing', { trials })
    expect(comparable(first).map(({ name, status }) => [name, status])).toEqual([
      ['trial-003', 'finished'],
      ['trial-001', 'diverged'],
      ['trial-002', 'failed'],
    ])
    expect(first.trials[1]?.error).toContain('expected a number')
    expect(first.trials[2]?.error).toContain('9')
    const names: string[] = []
    const second = await run('failing', { resume: true, trials: [], onTrial: ({ name }) => names.push(name) })
    expect(comparable(second)).toEqual(comparable(first))
    expect(names).toEqual([]) // trial-002 does not get that far
  })

  test('refuses a setting, a sweep that is there, and another recipe, before it trains', async () => {
    await expect(run('none', { trials: [['optimizer.rl=1']] })).rejects.toThrow("no field 'optimizer.rl'")
    await expect(run('none', { resume: true })).rejects.toThrow('none holds no sweep to resume')
    expect(readdirSync(folder)).not.toContain('none')
    await expect(run('whole')).rejects.toThrow('whole already holds a sweep; add --resume')
    await expect(run('whole', { resume: true, recipe: { ...recipe, epochs: 3 } })).rejects.toThrow('epochs (2 → 3)')
  })
})
