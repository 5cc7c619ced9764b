/** The loop on a tiny ViT and images made up on the spot: what it learns, writes, and goes on with. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { readSafetensors } from '@vitral/core/files'
import { deriveSeed } from '@vitral/core/tape'
import type { TrainingData } from '../data/training-data.ts'
import { evaluate } from '../evaluation/evaluate.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import { assembleParts, type TrainingParts } from './assemble.ts'
import type { TrainingObserver } from './events.ts'
import { openRun, recordRun } from './folder.ts'
import { metricsLog } from './metrics-log.ts'
import type { RunFilesOptions } from './run-files.ts'
import { Trainer } from './trainer.ts'

const size = 8
const recipe = defineRecipe({
  model: {},
  dataset: 'made up',
  transforms: 'cifar-32',
  batchSize: 4,
  epochs: 3,
  optimizer: { name: 'adamw', lr: 0.06 },
  schedule: { name: 'cosine', warmupEpochs: 0.5 },
  clipGradNorm: 1,
  microBatchSize: 3,
  gradScaler: { growthInterval: 2 },
  ema: { decay: 0.5 },
})

/** What the loop gave back of it, at each beginning. */
const plans: unknown[] = []

/** Ten images of two classes, dark and bright, with noise; in the order of (seed, epoch). */
const data: TrainingData = {
  labels: ['dark', 'bright'],
  multiLabel: false,
  trainImages: 10,
  evaluationImages: 6,
  stepsPerEpoch: 3,
  plan: {
    examples: 10,
    content: '',
    batchSize: 4,
    dropLast: false,
    seed: 7,
    sampler: 'made up',
    transforms: [],
    batchTransforms: [],
  },
  async *train({ epoch, firstBatch, plan }) {
    plans.push(plan)
    for (let batch = firstBatch; batch < 3; batch++) yield images(deriveSeed(7, epoch, batch), batch === 2 ? 2 : 4)
  },
  async *evaluation() {
    yield images(1, 4)
    yield images(2, 2)
  },
  close: async () => {},
}

function images(seed: number, count: number) {
  const labels = Int32Array.from({ length: count }, (_, i) => deriveSeed(seed, i) % 2)
  const pixels = Float32Array.from({ length: count * size * size }, (_, i) => {
    const bright = labels[Math.floor(i / (size * size))] as number
    return bright - 0.5 + (deriveSeed(seed, 100, i) / 2 ** 32 - 0.5)
  })
  return { pixelValues: { data: pixels, shape: [count, 1, size, size] as [number, number, number, number] }, labels }
}

const folders: string[] = []
function folder(): string {
  const created = mkdtempSync(join(tmpdir(), 'vitral-trainer-'))
  folders.push(created)
  return created
}
afterAll(() => {
  for (const created of folders) rmSync(created, { recursive: true })
})

const freshModel = () =>
  new ViTForImageClassification({
    imageSize: size,
    patchSize: 4,
    hiddenSize: 8,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    intermediateSize: 16,
    numChannels: 1,
    hiddenDropoutProb: 0.1,
    numLabels: 2,
  })

/** One process's part of a run: from its checkpoint, if it has one, until `stopAfter` steps are done. */
async function runPart(
  out: string,
  {
    resume = false,
    stopAfter = Number.POSITIVE_INFINITY,
    observers = [],
    recipe: given = recipe,
    checkpoints,
    lock,
    ...parts
  }: { resume?: boolean; stopAfter?: number; observers?: TrainingObserver[] } & Partial<TrainingParts> &
    Pick<RunFilesOptions, 'checkpoints' | 'lock'> = {},
) {
  const model = freshModel()
  const paths = await openRun(out, given, { resume })
  await recordRun(paths, given, {})
  const controller = new AbortController()
  const stopper: TrainingObserver = {
    onStep: ({ step }) => {
      if (step === stopAfter) controller.abort()
    },
  }
  const processor = {
    savePretrained: async (best: string) => writeFileSync(join(best, 'preprocessor_config.json'), '{}'),
  }
  const trainer = new Trainer(assembleParts({ recipe: given, model, processor, data, ...parts }), {
    paths,
    checkpoints,
    lock,
  })
  for (const observer of [...observers, stopper]) trainer.observe(observer)
  if (resume) await trainer.resume()
  trainer.observe(await metricsLog(paths.metrics, trainer.position))
  const result = await trainer.train(controller.signal)
  await trainer.close()
  model.dispose()
  return result
}

const lines = (out: string): Record<string, unknown>[] =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .map(({ seconds, imagesPerSecond, ...rest }) => rest) // what the clock decides

const checkpoint = async (out: string) => {
  const newest = readdirSync(join(out, 'checkpoints')).sort().at(-1) as string
  return readSafetensors(join(out, 'checkpoints', newest))
}

describe('Trainer', () => {
  const whole = folder()

  beforeAll(async () => {
    await useBackend('cpu')
    await runPart(whole)
  })

  test('the trainer learns, and leaves a run folder with the best model', async () => {
    const log = lines(whole)
    expect(log.map(({ event }) => event).join(' ')).toBe(Array(3).fill('step step step epoch').join(' '))
    const epochs = log.filter(({ event }) => event === 'epoch')
    expect(epochs.at(-1)?.accuracy).toBe(1)
    expect(epochs.at(-1)?.trainLoss as number).toBeLessThan(epochs[0]?.trainLoss as number)
    expect(readdirSync(whole).sort()).toEqual(['best', 'checkpoints', 'last', 'metrics.jsonl', 'recipe.json'])
    const best = await ViTForImageClassification.fromPretrained(join(whole, 'best'))
    expect(best.config.hiddenSize).toBe(8)
    best.dispose()
    expect(JSON.parse(readFileSync(join(whole, 'recipe.json'), 'utf8')).recipe).toEqual(recipe)
  })

  test('the trainer follows the schedule', () => {
    const rates = lines(whole).flatMap(({ event, lr }) => (event === 'step' ? [lr as number] : []))
    expect(rates.slice(0, 3)).toEqual([0.03, 0.06, 0.06])
    expect(rates.slice(3).every((lr, i) => lr < (rates[i + 2] as number))).toBe(true)
  })

  test.each([[[1]], [[3]], [[4]], [[2, 5, 8]]])(
    'a run stopped after steps %j and resumed computes the same bits',
    async stops => {
      const out = folder()
      for (const [i, stopAfter] of stops.entries()) {
        const result = await runPart(out, { resume: i > 0, stopAfter })
        expect(result).toMatchObject({ finished: false, steps: stopAfter })
      }
      const result = await runPart(out, { resume: true })
      expect(result).toMatchObject({ finished: true, epochs: 3, steps: 9 })
      expect(lines(out)).toEqual(lines(whole))
      const [resumed, straight] = [await checkpoint(out), await checkpoint(whole)]
      expect([...resumed.tensors.keys()]).toEqual([...straight.tensors.keys()])
      for (const [name, { data: values }] of straight.tensors) expect(resumed.tensors.get(name)?.data).toEqual(values)
      expect(resumed.metadata.scaler).toEqual(straight.metadata.scaler as string)
      expect(JSON.parse(resumed.metadata.scaler as string)).toEqual({ scale: 65536 * 2 ** 4, growthTracker: 1 })
    },
  )

  test("the loader's plan is saved, and given back with the place where the batches go on", async () => {
    const out = folder()
    plans.length = 0
    await runPart(out, { stopAfter: 2 })
    await runPart(out, { resume: true, stopAfter: 3 })
    await runPart(out, { resume: true, stopAfter: 4 })
    expect(plans).toEqual([undefined, data.plan, data.plan, data.plan])
  })

  test('a run that was killed loses what came after its checkpoint, in the log too', async () => {
    const out = folder()
    await runPart(out, { stopAfter: 4 })
    const path = join(out, 'metrics.jsonl')
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"event":"step","epoch":2,"step":5}\n{"event":"st`)
    await runPart(out, { resume: true })
    expect(lines(out)).toEqual(lines(whole))
  })

  test('checkpoints within an epoch are as good as those at its end', async () => {
    const out = folder()
    const path = join(out, 'checkpoints')
    const saved: string[][] = []
    const copies = folder()
    const observer: TrainingObserver = {
      onStep: ({ step }) => {
        saved.push(
          existsSync(path)
            ? readdirSync(path)
                .map(name => String(Number(name.slice(5, 14))))
                .sort()
            : [],
        )
        if (step === 6) cpSync(path, copies, { recursive: true }) // 3 is of the end of an epoch, 5 within one
      },
    }
    await runPart(out, { observers: [observer], checkpoints: { every: { steps: 2 }, keep: 2 } })
    expect(saved).toEqual([[], [], ['2'], ['2', '3'], ['2', '3'], ['3', '5'], ['5', '6'], ['5', '6'], ['6', '8']])
    for (const [name, from] of [
      ['step-000000005.safetensors', 5],
      ['step-000000003.safetensors', 3],
    ] as const) {
      rmSync(path, { recursive: true })
      mkdirSync(path)
      cpSync(join(copies, name), join(path, name))
      const steps: number[] = []
      await runPart(out, { resume: true, observers: [{ onStep: ({ step }) => void steps.push(step) }] })
      expect(steps[0]).toBe(from + 1)
      expect(lines(out)).toEqual(lines(whole))
      const [resumed, straight] = [await checkpoint(out), await checkpoint(whole)]
      for (const [name, { data: values }] of straight.tensors) expect(resumed.tensors.get(name)?.data).toEqual(values)
    }
  })

  describe('test images', () => {
    const withTest: TrainingData = {
      ...data,
      test: {
        images: 5,
        async *batches() {
          yield images(50, 3)
          yield images(51, 2)
        },
      },
    }

    test('test images test the best model once, at the end', async () => {
      const out = folder()
      const result = await runPart(out, { data: withTest })
      expect(result).toMatchObject({ finished: true, test: { accuracy: expect.any(Number), loss: expect.any(Number) } })
      const best = await ViTForImageClassification.fromPretrained(join(out, 'best'))
      const evaluation = await evaluate(best, withTest.test?.batches() as never, { labels: data.labels })
      best.dispose()
      expect(result.test).toEqual({ accuracy: evaluation?.accuracy as number, loss: evaluation?.loss as number })
      const log = lines(out)
      expect(log.map(({ event }) => event).filter(event => event === 'test')).toHaveLength(1)
      expect(log.at(-1)).toMatchObject({ event: 'test', count: 5, epoch: result.best?.epoch, ...result.test })
      expect(await runPart(out, { data: withTest, resume: true })).toMatchObject({ finished: true, test: result.test })
      expect(lines(out)).toEqual(log)
    })

    test('a stop in between is not the end', async () => {
      const out = folder()
      const controller = new AbortController()
      const batches = async function* () {
        controller.abort()
        yield images(50, 3)
      }
      const model = freshModel()
      const paths = await openRun(out, recipe, { resume: false })
      await recordRun(paths, recipe, {})
      const processor = { savePretrained: async () => {} }
      const trainer = new Trainer(
        assembleParts({ recipe, model, processor, data: { ...data, test: { images: 3, batches } } }),
        { paths },
      )
      expect(await trainer.train(controller.signal)).toMatchObject({ finished: false, epochs: 3, test: undefined })
      await trainer.close()
      model.dispose()
      expect(await runPart(out, { data: withTest, resume: true })).toMatchObject({
        ...{ finished: true, test: { accuracy: expect.any(Number) } },
      })
    })
  })

  test('a finished run that is resumed is still finished', async () => {
    expect(await runPart(whole, { resume: true })).toMatchObject({ finished: true, steps: 9 })
  })

  test('the trainer keeps no tensor', async () => {
    const before = memory().numTensors
    await runPart(folder())
    expect(memory().numTensors).toBe(before)
  })
})

/** Expects that two runs did the same, but for the time it took. */
async function expectSame(out: string, whole: string): Promise<void> {
  expect(lines(out)).toEqual(lines(whole))
  const [one, other] = [await checkpoint(out), await checkpoint(whole)]
  for (const [name, { data: values }] of other.tensors) expect(one.tensors.get(name)?.data).toEqual(values)
  for (const model of ['best', 'last'])
    expect(readFileSync(join(out, model, 'model.safetensors'))).toEqual(
      readFileSync(join(whole, model, 'model.safetensors')),
    )
}

describe('evaluations within an epoch', () => {
  const within = { ...recipe, evalSteps: 2 }
  const whole = folder()

  beforeAll(async () => {
    await useBackend('cpu')
    await runPart(whole, { recipe: within })
  })

  test('evaluations come after each so many steps of the run, beside that at the end of each epoch, and change no step', async () => {
    const log = lines(whole)
    expect(log.map(({ event, step }) => `${event} ${step}`).join(', ')).toBe(
      'step 1, step 2, evaluation 2, step 3, epoch 3, step 4, evaluation 4, step 5, step 6, epoch 6, step 7, step 8, evaluation 8, step 9, epoch 9',
    )
    const plain = folder()
    await runPart(plain)
    const steps = (out: string) => lines(out).filter(({ event }) => event === 'step')
    expect(steps(whole)).toEqual(steps(plain))
    const best = log.filter(({ isBest }) => isBest).at(-1)
    const { position } = (await checkpoint(whole)).metadata
    const { epoch, accuracy, loss } = best ?? {}
    expect(JSON.parse(position as string).best).toMatchObject({ epoch, accuracy, loss })
  })

  test.each([1, 2, 3, 4, 7])('a run stopped after step %d and resumed does the same', async stopAfter => {
    const out = folder()
    await runPart(out, { recipe: within, stopAfter })
    await runPart(out, { recipe: within, resume: true })
    await expectSame(out, whole)
  })
})

describe('early stopping', () => {
  /** Images that say nothing of their labels, so that no evaluation is better than the first for long. */
  const noise: TrainingData = {
    ...data,
    async *evaluation() {
      yield { ...images(1, 4), labels: Int32Array.of(0, 1, 0, 1) }
    },
  }
  const impatient = { ...recipe, epochs: 6, earlyStopping: { patience: 2, minDelta: 0.6 } }

  beforeAll(() => useBackend('cpu'))

  test('early stopping ends the run after `patience` evaluations without an improvement, and resuming does no more', async () => {
    const out = folder()
    const result = await runPart(out, { recipe: impatient, data: noise })
    expect(result).toMatchObject({ finished: true, stoppedEarly: true, epochs: 3, steps: 9 })
    expect(await runPart(out, { recipe: impatient, data: noise, resume: true })).toMatchObject({
      ...{ finished: true, stoppedEarly: true, steps: 9 },
    })
    const cut = folder()
    await runPart(cut, { recipe: impatient, data: noise, stopAfter: 7 })
    await runPart(cut, { recipe: impatient, data: noise, resume: true })
    await expectSame(cut, out)
  })

  test('early stopping may end a run within an epoch, with its last model there', async () => {
    const out = folder()
    const recipe = { ...impatient, evalSteps: 2 }
    const result = await runPart(out, { recipe, data: noise })
    expect(result).toMatchObject({ finished: true, stoppedEarly: true, epochs: 1, steps: 4 })
    expect(existsSync(join(out, 'last/model.safetensors'))).toBe(true)
    expect(await runPart(out, { recipe, data: noise, resume: true })).toMatchObject({ finished: true, steps: 4 })
  })
})

describe('more epochs on resume', () => {
  beforeAll(() => useBackend('cpu'))

  test('a run of two epochs that gets a third does what one of three does, where the schedule is the same', async () => {
    const [whole, out] = [folder(), folder()]
    const constant = { ...recipe, schedule: { name: 'constant' as const } }
    await runPart(whole, { recipe: constant })
    expect(await runPart(out, { recipe: { ...constant, epochs: 2 } })).toMatchObject({ finished: true, epochs: 2 })
    expect(await runPart(out, { recipe: constant, resume: true })).toMatchObject({ finished: true, epochs: 3 })
    await expectSame(out, whole)
    expect(JSON.parse(readFileSync(join(out, 'recipe.json'), 'utf8'))).toMatchObject({
      ...{ recipe: constant, epochsBefore: [2] },
    })
  })

  test('the best model is tested again, and the log has one test', async () => {
    const withTest = { ...data, test: { images: 3, batches: async function* () { yield images(50, 3) } } } // biome-ignore format: one line
    const out = folder()
    await runPart(out, { recipe: { ...recipe, epochs: 2 }, data: withTest })
    await runPart(out, { recipe, data: withTest, resume: true })
    expect(lines(out).map(({ event }) => event).join(' ')).toBe(
      `${Array(3).fill('step step step epoch').join(' ')} test`,
    ) // biome-ignore format: one line
  })

  test('fewer epochs on resume are refused', async () => {
    const out = folder()
    await runPart(out, { stopAfter: 4 })
    await expect(openRun(out, { ...recipe, epochs: 2 }, { resume: true })).rejects.toThrow('epochs (3 → 2)')
  })
})

describe('the mean loss of an epoch', () => {
  beforeAll(() => useBackend('cpu'))

  test('the mean loss counts images: a small last batch does not count as one of three', async () => {
    const out = folder()
    await runPart(out)
    const log = lines(out).slice(0, 4)
    const losses = log.slice(0, 3).map(({ loss }) => loss as number)
    const mean = losses.reduce((sum, loss, i) => sum + loss * ([4, 4, 2][i] as number), 0) / 10
    expect(log[3]?.trainLoss).toBeCloseTo(mean, 12)
    const cut = folder()
    await runPart(cut, { stopAfter: 2 })
    await runPart(cut, { resume: true, stopAfter: 4 })
    expect(lines(cut).slice(0, 4)).toEqual(log)
  })

  test('steps that the gradient scaler skipped are counted, over a resume too', async () => {
    const out = folder()
    const overflowing = { ...recipe, gradScaler: { initScale: 3e38, growthInterval: 2000 } }
    const reports: (number | undefined)[] = []
    const observers: TrainingObserver[] = [{ onStep: ({ skippedSteps }) => void reports.push(skippedSteps) }]
    await runPart(out, { recipe: overflowing, stopAfter: 4, observers })
    const result = await runPart(out, { recipe: overflowing, resume: true, observers })
    const log = lines(out)
    const skipped = log.filter(({ skipped }) => skipped).length
    expect(skipped).toBeGreaterThan(0)
    expect(result.skippedSteps).toBe(skipped)
    expect(reports.at(-1)).toBe(skipped)
    expect(log.at(-1)).toMatchObject({ event: 'epoch', skippedSteps: skipped })
  })
})

describe('openRun', () => {
  test('does not overwrite a run, resume what is not there, or change the recipe', async () => {
    const out = folder()
    await expect(openRun(out, recipe, { resume: true })).rejects.toThrow('holds no training run to resume')
    expect(existsSync(join(out, 'recipe.json'))).toBe(false)
    await recordRun(await openRun(out, recipe, { resume: false }), recipe, {})
    await expect(openRun(out, recipe, { resume: false })).rejects.toThrow('already holds a training run; add --resume')
    const other = { ...recipe, epochs: 4, optimizer: { name: 'sgd' as const } }
    await expect(openRun(out, other, { resume: true })).rejects.toThrow(
      'epochs (3 → 4), optimizer.name ("adamw" → "sgd"), optimizer.lr (0.06 → absent)',
    )
  })

  test('the environments in which a run goes on are recorded beside that in which it began', async () => {
    const out = folder()
    const record = async (resume: boolean, environment: object) => {
      await recordRun(await openRun(out, recipe, { resume }), recipe, environment)
      return JSON.parse(readFileSync(join(out, 'recipe.json'), 'utf8'))
    }
    const [here, there] = [{ backend: 'cpu', git: undefined }, { backend: 'native' }]
    expect(await record(false, here)).toEqual({ recipe, environment: { backend: 'cpu' } })
    expect(await record(true, here)).toEqual({ recipe, environment: { backend: 'cpu' } })
    expect((await record(true, there)).resumedIn).toEqual([there])
    expect((await record(true, there)).resumedIn).toEqual([there])
    expect((await record(true, here)).resumedIn).toEqual([there, { backend: 'cpu' }])
  })

  test('a run without a checkpoint yet begins anew', async () => {
    const out = folder()
    await recordRun(await openRun(out, recipe, { resume: false }), recipe, {})
    expect(await runPart(out, { resume: true, stopAfter: 1 })).toMatchObject({ finished: false, steps: 1 })
  })
})

describe('an observer that throws', () => {
  beforeAll(() => useBackend('cpu'))

  test.each(['onStep', 'onEvaluationBatch', 'onEpoch'] as const)(
    'an observer that throws in %s stops the run with its state saved and the others told, and it goes on as if nothing had been',
    async event => {
      const [whole, out] = [folder(), folder()]
      await runPart(whole)
      const reason = new Error('the disk is full')
      let calls = 0
      const broken: TrainingObserver = {
        [event]: async () => {
          if (++calls === 2) throw reason
        },
      }
      const failure = await runPart(out, { observers: [broken] }).catch(error => error)
      const steps = { onStep: 2, onEvaluationBatch: 3, onEpoch: 6 }[event]
      expect(failure.message).toBe(
        `An observer's ${event} threw, so the run stopped after step ${steps}, its state saved; it can be resumed. It threw: the disk is full`,
      )
      expect(failure.cause).toBe(reason)
      expect(await runPart(out, { resume: true })).toMatchObject({ finished: true })
      expect(lines(out)).toEqual(lines(whole))
      const [resumed, straight] = [await checkpoint(out), await checkpoint(whole)]
      for (const [name, { data: values }] of straight.tensors) expect(resumed.tensors.get(name)?.data).toEqual(values)
    },
  )

  test('the run waits for an observer that takes its time', async () => {
    const order: string[] = []
    const slow: TrainingObserver = {
      async onStep({ step }) {
        await Bun.sleep(2)
        order.push(`slow ${step}`)
      },
    }
    const next: TrainingObserver = { onStep: ({ step }) => void order.push(`next ${step}`) }
    await runPart(folder(), { stopAfter: 2, observers: [slow, next] })
    expect(order).toEqual(['slow 1', 'next 1', 'slow 2', 'next 2'])
  })
})
