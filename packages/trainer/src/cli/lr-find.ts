/** `vitral lr-find`: which learning rate a recipe may begin with. */

import { writeFileAtomic } from '@vitral/core/files'
import { jsonLine } from '@vitral/core/text'
import { exitCodes, type Interrupt, onInterrupt } from '../ddp/interrupt.ts'
import { type LrFindResult, lrFind, lrFindDefaults } from '../lr-find/lr-find.ts'
import { plotRates } from '../lr-find/plot.ts'
import { backendOption, type Command, dataOptions, defineCommand, maxPixelsOption, print, reasonOf } from './command.ts'
import { download, showDownload } from './download.ts'
import { integer, parsed, text } from './options.ts'
import { createProgress } from './progress.ts'
import { recipeArgument, recipeOf, recipeOptions } from './recipe-option.ts'
import { startBackend } from './start-backend.ts'

const options = {
  ...dataOptions,
  ...maxPixelsOption,
  from: parsed(rateOf, { value: 'X', default: String(lrFindDefaults.from), help: 'the first learning rate' }),
  to: parsed(rateOf, { value: 'X', default: String(lrFindDefaults.to), help: 'the last learning rate' }),
  steps: integer({ least: 10, default: lrFindDefaults.steps, help: 'how many there are' }),
  out: text({ value: 'FILE', help: 'also draws the curve, as an SVG file' }),
  ...recipeOptions,
  ...backendOption,
}

export const lrFindCommand: Command = defineCommand({
  summary: 'suggests a learning rate for a recipe',
  usage: ['lr-find RECIPE [--data PATH]'],
  about: `Trains a little while the learning rate grows by the same factor at each step, until the loss grows fourfold. The rate
at which the loss falls fastest is a careful choice; with warm-up a run often bears more, up to where the loss is least.
What is trained is thrown away, and nothing is written but the plot that --out asks for.

${recipeArgument}`,
  json: '{points: [{lr, loss, smoothLoss, slope}], suggestion: {steepest, minimumTenth}, diverged}',
  options,

  async run({ values, positionals }) {
    const { name, recipe } = await recipeOf(positionals, values)
    const { from, to, steps } = values
    if (values.out !== undefined && !values.out.endsWith('.svg'))
      throw new Error(`--out is '${values.out}'; expected a file that ends in .svg.`)
    await startBackend(values.backend)
    const progress = createProgress()
    const { signal, release } = onInterrupt()
    try {
      if (values.download) await download(recipe.dataset, values.data, progress, signal)
      const result = await lrFind({
        ...{ recipe, data: values.data, from, to, steps, signal },
        onSkipped: values['skip-broken'] ? reason => progress.say(`Left out: ${reasonOf(reason)}`) : undefined,
        maxPixels: values['max-pixels'],
        hub: { onProgress: showDownload(progress) },
        onStep: (done, loss) => progress.update({ title: 'lr-find', unit: 'steps', done, total: steps, loss }),
      })
      progress.end()
      if (signal.aborted) return exitCodes[signal.reason as Interrupt]
      if (values.out !== undefined) await writeFileAtomic(values.out, plotRates(result))
      print(values.json ? jsonLine(result) : describe(result, name))
      return 0
    } finally {
      progress.end()
      release()
    }
  },
})

/** A learning rate; lrFind checks how the two go together. */
function rateOf(_: string, text: string): number {
  return Number(text)
}

function describe({ points, suggestion, diverged }: LrFindResult, name: string): string {
  const every = Math.ceil(points.length / 16)
  const rows = points.filter((_, i) => i % every === 0 || i === points.length - 1)
  const ending = diverged ? ['The loss grew without bound from here on.'] : []
  const table = [
    '      lr       loss     smooth',
    ...rows.map(({ lr, loss, smoothLoss }) =>
      [lr.toExponential(1).padStart(8), ...[loss, smoothLoss].map(value => value.toFixed(4).padStart(9))].join('  '),
    ),
  ]
  if (!suggestion)
    return [
      ...table,
      ...ending,
      'The loss did not fall, so no rate is suggested: try more --steps, or other bounds.',
    ].join('\n')
  const { steepest, minimumTenth } = suggestion
  return [
    ...table,
    ...ending,
    `The loss falls fastest at ${steepest.toExponential(1)}; a tenth of the rate where it is least is ${minimumTenth.toExponential(1)}.`,
    `To train with it: vitral train ${name} --lr ${steepest.toExponential(1)}`,
  ].join('\n')
}
