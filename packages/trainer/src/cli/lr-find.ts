/** `vitral lr-find`: which learning rate a recipe may begin with. */

import { useBackend } from '@vitral/core'
import { writeFileAtomic } from '@vitral/core/files'
import { jsonLine } from '@vitral/core/text'
import { datasetNames } from '../data/open-dataset.ts'
import { exitCodes, type Interrupt, onInterrupt } from '../ddp/interrupt.ts'
import { type LrFindResult, lrFind } from '../lr-find/lr-find.ts'
import { plotRates } from '../lr-find/plot.ts'
import { parseInteger } from '../numbers.ts'
import { recipes } from '../recipes/index.ts'
import { backendOption, type Command, maxPixelsOf, maxPixelsOption, parse, print, reasonOf } from './command.ts'
import { download, showDownload } from './download.ts'
import { createProgress } from './progress.ts'
import { recipeOf, recipeOptions } from './recipe-option.ts'

const options = {
  ...backendOption,
  ...maxPixelsOption,
  ...recipeOptions,
  data: { type: 'string', default: 'data' },
  download: { type: 'boolean', default: false },
  'skip-broken': { type: 'boolean', default: false },
  from: { type: 'string', default: '1e-7' },
  to: { type: 'string', default: '10' },
  steps: { type: 'string', default: '100' },
  out: { type: 'string' },
} as const

export const lrFindCommand: Command = {
  summary: 'suggests a learning rate for a recipe',
  help: `Usage: vitral lr-find RECIPE [--data PATH] [OPTIONS]

Trains a little while the learning rate grows by the same factor at each step, until the loss grows fourfold. The rate
at which the loss falls fastest is a careful choice; with warm-up a run often bears more, up to where the loss is least.
What is trained is thrown away, and nothing is written but the plot that --out asks for.

RECIPE is ${Object.keys(recipes).join(', ')}, or the path of a module that exports one.

  --data PATH        where the data set is (data): its folder, or the file of a manifest
  --dataset NAME     another than the recipe's: ${datasetNames.join(', ')}
  --download         downloads the data set to --data first, unless it is there
  --skip-broken      leaves out images that cannot be decoded, and says which
  --max-pixels N     larger images are refused (67108864, 8192 × 8192)
  --from X  --to X   the first and the last learning rate (1e-7, 10)
  --steps N          how many there are (100)
  --out FILE         also draws the curve, as an SVG file
  --set KEY=VALUE    sets a field of the recipe, such as optimizer.weightDecay=0; may be repeated
  --batch-size N  --precision float32|bfloat16  --seed N    the same for these fields
  --backend NAME     auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --json             {points: [{lr, loss, smoothLoss, slope}], suggestion: {steepest, minimumTenth}, diverged}
  --help             this text`,

  async run(args) {
    const { values, positionals } = parse(args, options)
    const { name, recipe } = await recipeOf(positionals, values)
    const [from, to] = [Number(values.from), Number(values.to)]
    const steps = parseInteger('--steps', values.steps, 10)
    if (values.out !== undefined && !values.out.endsWith('.svg'))
      throw new Error(`--out is '${values.out}'; expected a file that ends in .svg.`)
    await useBackend(values.backend as 'auto')
    const progress = createProgress()
    const { signal, release } = onInterrupt()
    try {
      if (values.download) await download(recipe.dataset, values.data, progress, signal)
      const result = await lrFind({
        ...{ recipe, data: values.data, from, to, steps, signal },
        onSkipped: values['skip-broken'] ? reason => progress.say(`Left out: ${reasonOf(reason)}`) : undefined,
        maxPixels: maxPixelsOf(values),
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
