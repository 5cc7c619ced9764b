/** `vitral data inspect`: what is in a data set and what a model will see of it, before a training run is paid for. */

import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@vitral/core/files'
import { jsonLine } from '@vitral/core/text'
import { transforms } from '@vitral/datasets'
import { type ContactSheetOptions, chooseExamples, contactSheet, mostSheetRows } from '@vitral/datasets/inspect'
import { guessDataset } from '../data/guess-dataset.ts'
import { inspectData } from '../data/inspect.ts'
import { datasetNames } from '../data/open-dataset.ts'
import { pretrainedProcessor } from '../data/pretrained-processor.ts'
import { recipeTransforms, transformChain } from '../recipe/transforms.ts'
import { type Command, defineCommand, maxPixelsOption, print } from './command.ts'
import { describeData } from './describe-data.ts'
import { integer, needed, repeated, text } from './options.ts'
import { createProgress } from './progress.ts'
import { recipeOf } from './recipe-option.ts'

const defaultChain = 'article-fine-tune'

const options = {
  dataset: text({ help: `${datasetNames.join(', ')} (what PATH looks like)` }),
  out: text({
    value: 'FILE.png',
    help: 'draws a contact sheet: images as they are, as evaluation prepares them, and as training does',
  }),
  recipe: text({
    value: 'RECIPE',
    help: 'the sheet shows what this recipe makes of the images, its mixing of batches included: a name or a file',
  }),
  set: repeated({ value: 'KEY=VALUE', help: 'sets a field of the recipe, such as model.config.imageSize=64' }),
  chain: text({ help: `without a recipe: ${Object.keys(transforms.chains).join(', ')} (${defaultChain})` }),
  rows: integer({
    default: 10,
    help: `images on the sheet, of as many classes as there are, ${mostSheetRows} at most`,
  }),
  seed: integer({ least: 0, default: 42, help: 'chooses the images and their augmentation' }),
  ...maxPixelsOption,
}

export const data: Command = defineCommand({
  summary: 'inspects a data set, and draws what a model will see of it',
  usage: ['data inspect PATH [--dataset NAME] [--out FILE.png [--recipe RECIPE]]'],
  about: `Reads every image below PATH and tells how many there are of each class and size, which are broken, and which are there
twice: in training and test at once, or with two labels.`,
  json: '{dataset, splits: [{name, count, classes, sizes, broken, ignored}], duplicates, notes, sheet: {path, examples}}',
  options,

  async run({ values, positionals }) {
    const [verb, path, ...more] = positionals
    if (verb !== 'inspect')
      throw new Error(`There is no command 'data ${needed(verb, 'What to do with data')}'; expected inspect.`)
    const place = needed(path, 'The path of the data set')
    if (more.length > 0) throw new Error(`Unexpected argument '${more[0]}'; expected one path.`)
    for (const flag of ['chain', 'recipe'] as const)
      if (values[flag] && !values.out)
        throw new Error(`--${flag} is for the contact sheet; expected --out FILE.png, too.`)
    const made = await transformsFor(values)
    const { rows, seed } = values
    const decode = { maxPixels: values['max-pixels'] }
    if (values.out) await checkFolder(values.out)
    const name = values.dataset ?? (await guessDataset(place))
    const progress = createProgress()
    const { report, dataset, inspection } = await inspectData(
      name,
      place,
      (split, done, total) => progress.update({ title: split, done, total }),
      { decode },
    )
    progress.end()
    const wanted = values.out ? chooseExamples(inspection, rows, seed) : []
    const indices = wanted.slice(0, mostSheetRows)
    if (values.out) await writeFileAtomic(values.out, [await contactSheet(dataset, { indices, ...made, seed })])
    const sheet = values.out && { path: values.out, examples: indices }
    if (values.json) print(jsonLine({ dataset: name, ...report, sheet }))
    else print(describeData(name, place, report))
    if (sheet && !values.json) print(`\nThe contact sheet is ${values.out}.${leftOut(wanted.length - indices.length)}`)
    return 0
  },
})

const leftOut = (count: number): string =>
  count === 0 ? '' : ` It has room for ${mostSheetRows} images; ${count} more that were asked for are left out.`

/** The transforms of a recipe, or of a chain that has a name. */
async function transformsFor(values: {
  recipe?: string
  set?: string[]
  chain?: string
}): Promise<Pick<ContactSheetOptions, 'training' | 'evaluation' | 'batches'>> {
  if (values.recipe === undefined) {
    if (values.set) throw new Error('--set is for a field of a recipe; expected --recipe RECIPE, too.')
    const chain = transformChain(values.chain ?? defaultChain)
    return { evaluation: chain({ train: false }), training: chain({ train: true }) }
  }
  if (values.chain) throw new Error('Both --recipe and --chain are given; expected one of them.')
  const { recipe } = await recipeOf([values.recipe], { set: values.set })
  const { train, evaluation, batches } = recipeTransforms(recipe, await pretrainedProcessor(recipe))
  return { training: train, evaluation, batches }
}

/** Before all images are read, which may take long. */
async function checkFolder(out: string): Promise<void> {
  if (!out.endsWith('.png')) throw new Error(`--out is '${out}'; expected the name of a .png to write.`)
  const folder = await stat(dirname(out)).catch(() => undefined)
  if (!folder?.isDirectory()) throw new Error(`--out is '${out}', but there is no folder ${dirname(out)}.`)
}
