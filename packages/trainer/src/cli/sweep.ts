/** `vitral sweep`: one recipe with several settings, and a table of how well each did. */

import { basename } from 'node:path'
import { jsonLine, percent, printable } from '@vitral/core/text'
import { exitCodes, type Interrupt, onInterrupt } from '../ddp/interrupt.ts'
import { scoreOf } from '../evaluation/choose-best.ts'
import { columnWidths, duration } from '../format.ts'
import { gridSearch, randomSearch, type Settings } from '../sweep/search.ts'
import { type SweptTrial, sweep } from '../sweep/sweep.ts'
import { backendOption, type Command, dataOptions, defineCommand, maxPixelsOption, print, reasonOf } from './command.ts'
import { download, showDownload } from './download.ts'
import { flag, integer, repeated, text } from './options.ts'
import { createProgress } from './progress.ts'
import { recipeArgument, recipeOf, recipeOptions } from './recipe-option.ts'
import { startBackend } from './start-backend.ts'
import { resumeCommand } from './train/resume-command.ts'
import { showTraining } from './train/show-training.ts'

const options = {
  grid: repeated({
    value: 'KEY=A,B,…',
    help: 'values of a field of the recipe; of several fields every combination is tried',
  }),
  random: integer({ help: "tries N settings drawn by chance, by the recipe's seed" }),
  range: repeated({
    value: 'KEY=RANGE',
    help: 'what a field is drawn from: log:1e-4..1e-2, 0..0.2, int:2..6, or values such as 32,64',
  }),
  ...dataOptions,
  ...maxPixelsOption,
  out: text({
    value: 'DIR',
    help: 'folder of the sweep: sweep.json, trial-001/, trial-002/ … (runs/RECIPE-sweep)',
  }),
  resume: flag(
    'resumes the sweep in --out: what is finished is kept, what was stopped is resumed; more values or a larger N add trials',
  ),
  tensorboard: flag('also writes event files, which TensorBoard shows side by side: tensorboard --logdir DIR'),
  ...recipeOptions,
  ...backendOption,
}

export const sweepCommand: Command = defineCommand({
  summary: 'trains a recipe with several settings, and compares them',
  goesOnUnread: true,
  usage: [
    'sweep RECIPE --grid KEY=A,B… [--data PATH] [--out DIR]',
    'sweep RECIPE --random N --range KEY=RANGE… [--data PATH] [--out DIR]',
  ],
  about: `Each trial is a run's folder in --out. The table at the end has the best evaluation of each, the most accurate first, and
its test where the data set has images for one; those are not to choose by.

${recipeArgument}`,
  json: '{out, finished, trials: [{name, out, settings, status, seconds, best: {epoch, accuracy, loss}, test: {accuracy, loss}, error}]}',
  after: 'Ctrl-C finishes the step, saves the state and says how to go on.',
  options,

  async run({ values, positionals, args }) {
    const { name, recipe } = await recipeOf(positionals, values)
    const trials = trialsOf(values, recipe.seed)
    const { out = `runs/${basename(name).replace(/\.[^.]+$/, '')}-sweep`, data, resume } = values
    await startBackend(values.backend)
    const progress = createProgress()
    const { signal, release } = onInterrupt()
    try {
      if (values.download) await download(recipe.dataset, data, progress, signal)
      const result = await sweep({
        ...{ recipe, trials, data, out, resume, signal, tensorboard: values.tensorboard },
        onSkipped: values['skip-broken'] ? reason => progress.say(`Left out: ${reasonOf(reason)}`) : undefined,
        maxPixels: values['max-pixels'],
        hub: { onProgress: showDownload(progress) },
        onTrial({ settings }, { number, count, run, recipe }) {
          progress.say(`Trial ${number} of ${count}: ${settings.join(', ')}`)
          run.trainer.observe(showTraining(progress, recipe, run.data))
        },
      })
      progress.end()
      print(values.json ? jsonLine({ out, ...result }) : describe(result.trials))
      if (result.finished) return result.trials.some(({ status }) => status === 'failed') ? 1 : 0
      progress.say(`The sweep was stopped; its state is saved. To go on:\n\n  ${resumeCommand('sweep', args)}\n`)
      return exitCodes[signal.reason as Interrupt]
    } finally {
      progress.end()
      release()
    }
  },
})

interface SearchValues {
  grid?: string[]
  random?: number
  range?: string[]
  resume: boolean
}

/** @throws unless a grid or a random search is asked for, or a sweep that knows its own is resumed. */
function trialsOf({ grid, random, range, resume }: SearchValues, seed: number): Settings[] {
  if (grid && (random || range)) throw new Error('There are both --grid and --random; expected one of them.')
  if (random && range) return randomSearch(range, { count: random, seed })
  if (random || range) throw new Error('--random N and --range KEY=RANGE belong together; one of them is missing.')
  if (grid) return gridSearch(grid)
  if (resume) return []
  throw new Error('There is nothing to try; expected --grid KEY=A,B or --random N --range KEY=RANGE.')
}

function describe(trials: readonly SweptTrial[]): string {
  const keys = [...new Set(trials.flatMap(({ settings }) => settings.map(setting => split(setting).key)))]
  const tested = trials.some(({ test }) => test)
  const ranked = trials.some(({ best }) => best?.meanAveragePrecision !== undefined)
  const rows = trials.map(({ name, settings, status, best, test, seconds }) => {
    const values = new Map(settings.map(setting => [split(setting).key, split(setting).value]))
    return [
      best ? percent(scoreOf(best)) : '–',
      best ? best.loss.toFixed(4) : '–',
      ...(tested ? [test ? percent(scoreOf(test)) : '–'] : []),
      seconds === undefined ? '–' : duration(seconds),
      ...keys.map(key => values.get(key) ?? '–'),
      name,
      status,
    ]
  })
  const errors = trials.flatMap(({ name, error }) => (error ? [`${name}: ${printable(error)}`] : []))
  return [
    ...alignColumns([
      [ranked ? 'mAP' : 'accuracy', 'loss', ...(tested ? ['test'] : []), 'time', ...keys, 'trial', ''],
      ...rows,
    ]),
    ...errors,
  ].join('\n')
}

/** Lines of a table, numbers and names to the right. */
function alignColumns(rows: readonly string[][]): string[] {
  const widths = columnWidths(rows)
  return rows.map(row =>
    row
      .map((cell, column) => cell.padStart(widths[column] as number))
      .join('  ')
      .trimEnd(),
  )
}

function split(setting: string): { key: string; value: string } {
  const equals = setting.indexOf('=')
  return { key: setting.slice(0, equals), value: setting.slice(equals + 1) }
}
