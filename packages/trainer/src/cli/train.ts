/** `vitral train`: a recipe, data and a folder in; a trained model out. */
import { basename } from 'node:path'
import { useBackend } from '@vitral/core'
import type { TrainingData } from '../data.ts'
import { loadRecipe } from '../load-recipe.ts'
import { createProgress, duration, type Progress } from '../progress.ts'
import { overrideRecipe, type Recipe } from '../recipe.ts'
import { recipes } from '../recipes/index.ts'
import { startRun } from '../run.ts'
import type { TrainingObserver } from '../training-events.ts'
import { backendOption, type Command, parse, percent, print, required } from './command.ts'
import { exitCodes, type Interrupt, onInterrupt } from './interrupt.ts'

/** Shorter ways to say `--set`. */
const shortcuts = { epochs: 'epochs', 'batch-size': 'batchSize', lr: 'optimizer.lr', seed: 'seed' }

const options = {
  ...backendOption,
  data: { type: 'string', default: 'data' },
  out: { type: 'string' },
  resume: { type: 'boolean', default: false },
  set: { type: 'string', multiple: true },
  epochs: { type: 'string' },
  'batch-size': { type: 'string' },
  lr: { type: 'string' },
  seed: { type: 'string' },
} as const

export const train: Command = {
  summary: 'trains a model by a recipe',
  help: `Usage: vitral train RECIPE [--data DIR] [--out DIR] [OPTIONS]

RECIPE is ${Object.keys(recipes).join(', ')}, or the path of a module that exports one.

  --data DIR         where the data set is, or is downloaded to (data)
  --out DIR          folder of the run: best/ (a model folder), metrics.jsonl, recipe.json, checkpoints/ (runs/RECIPE)
  --resume           goes on with the run in --out, exactly where it stopped
  --set KEY=VALUE    sets a field of the recipe, such as optimizer.lr=3e-4; may be repeated
  --epochs N  --batch-size N  --lr X  --seed N    the same for these fields
  --backend NAME     auto, native, webgpu, wasm or cpu (auto)
  --json             {out, finished, epochs, steps, seconds, best: {epoch, accuracy, loss}}
  --help             this text

Ctrl-C finishes the step, saves the state and says how to go on.`,

  async run(args) {
    const { values, positionals } = parse(args, options)
    const name = required(positionals[0], 'The recipe')
    if (positionals.length > 1) throw new Error(`There is one recipe too many: '${positionals[1]}'.`)
    const settings = Object.entries(shortcuts).flatMap(([flag, key]) => {
      const value = values[flag as keyof typeof shortcuts]
      return value === undefined ? [] : [`${key}=${value}`]
    })
    const recipe = overrideRecipe(await loadRecipe(name), [...settings, ...(values.set ?? [])])
    const { out = `runs/${basename(name).replace(/\.[^.]+$/, '')}`, data, resume } = values
    const { name: backend, passedOver } = await useBackend(values.backend as 'auto')
    const progress = createProgress()
    for (const other of passedOver) progress.say(`The backend ${other.name} is not used: ${other.reason}`)

    const { signal, release } = onInterrupt()
    try {
      const { trainer, data: training } = await startRun({ recipe, data, out, resume })
      trainer.observe(show(progress, recipe, training))
      progress.say(
        `${resume ? 'Going on with' : 'Training'} ${name} on ${training.trainImages} images, backend ${backend}; ${training.stepsPerEpoch} steps an epoch.`,
      )
      const result = await trainer.train(signal)
      progress.end()
      await trainer.close()
      if (values.json) print(JSON.stringify({ out, ...result }))
      else if (result.finished && result.best)
        print(
          `Best: ${percent(result.best.accuracy)} of ${training.evaluationImages} held-out images, after epoch ${result.best.epoch}. Took ${duration(result.seconds)}. Model: ${out}/best`,
        )
      if (result.finished) return 0
      const command = ['vitral train', ...args.filter(arg => arg !== '--resume').map(quote), '--resume'].join(' ')
      progress.say(`Stopped after step ${result.steps}; the state is saved. To go on:\n\n  ${command}\n`)
      return exitCodes[signal.reason as Interrupt]
    } finally {
      release()
    }
  },
}

/** Keeps the progress line, and leaves one line for each epoch. */
function show(
  progress: Progress,
  { epochs }: Recipe,
  { trainImages, evaluationImages }: TrainingData,
): TrainingObserver {
  let title = ''
  return {
    onStep({ epoch, images, meanLoss }) {
      title = `epoch ${epoch}/${epochs}`
      progress.update({ title, done: images, total: trainImages, loss: meanLoss })
      if (images === trainImages) progress.end()
    },
    onEvaluationBatch(done) {
      progress.update({ title: `${title} evaluation`, done, total: evaluationImages })
      if (done === evaluationImages) progress.end()
    },
    onEpoch({ epoch, trainLoss, evaluation: { accuracy, top5, loss }, isBest, seconds }) {
      progress.say(
        `epoch ${epoch}/${epochs}  train loss ${trainLoss.toFixed(4)}  held-out: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}, top-5 ${percent(top5)}  ${duration(seconds)}${isBest ? '  best so far' : ''}`,
      )
    },
  }
}

/** As a shell reads it back. */
const quote = (argument: string): string =>
  /^[\w./:=@,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
