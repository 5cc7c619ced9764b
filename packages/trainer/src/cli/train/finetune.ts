/** `vitral finetune`: a model and a folder of images in; that model, knowing these classes, out. */

import { basename, join, resolve } from 'node:path'
import { guessDataset } from '../../data/guess-dataset.ts'
import { datasetNames } from '../../data/open-dataset.ts'
import { parseInteger } from '../../numbers.ts'
import {
  augmentationNames,
  describeSize,
  type FineTuneRecipeOptions,
  fineTuneRecipe,
  tunedParts,
} from '../../recipes/fine-tune.ts'
import { type Command, parse, required } from '../command.ts'
import { download, showDownload } from '../download.ts'
import { createProgress } from '../progress.ts'
import { withSettings } from '../recipe-option.ts'
import { runTraining } from './run-training.ts'
import { trainingHelp, trainingOptions, withDashboardPort } from './training-options.ts'

const options = {
  ...trainingOptions,
  tune: { type: 'string', default: 'all' },
  augment: { type: 'string', default: 'light' },
  size: { type: 'string' },
} as const

export const finetune: Command = {
  summary: 'trains a pretrained model on images of your own',
  goesOnUnread: true,
  help: `Usage: vitral finetune MODEL FOLDER [--out DIR] [OPTIONS]

MODEL is a model folder or a hub id, such as google/vit-base-patch16-224. FOLDER holds a folder of images for each class, or
train, val and test with these in them; or it is a manifest's file. Images are prepared as the model's
preprocessor_config.json says, and training sees random parts of them, mirrored or not.

  vitral finetune google/vit-base-patch16-224 flowers
  vitral predict --model runs/finetune-flowers/best rose.jpg

  --tune PART        what trains (all): all of the model; head, the new classifier alone, which is fast and needs the
                     fewest images; lora, low-rank adapters and the classifier, in little memory
  --augment HOW      of the training images (light): none, light (crops, mirror images) or strong (TrivialAugment too)
  --size N           images of N×N pixels in place of the model's own size
  --dataset NAME     what FOLDER holds, where that is not plain from it: ${datasetNames.join(', ')}
  --download         downloads that data set to FOLDER first, unless it is there
${trainingHelp('runs/finetune-FOLDER')}

Unless they are set: batches of 16, 10 epochs, AdamW with a learning rate that suits the part and the model's width, half
an epoch of warm-up and a cosine; a tenth of the images chooses the best model, and a tenth tests it, where FOLDER has no
val and test. recipe.json in --out has all of it.`,

  async run(args) {
    const { values, positionals } = parse(withDashboardPort(args), options)
    const [first, second, more] = positionals
    const model = required(first, 'The model, which comes before the folder of images,')
    const data = required(second, 'The folder of images, which comes after the model,')
    if (more !== undefined) throw new Error(`Unexpected argument '${more}'; expected MODEL FOLDER.`)
    const tune = oneOf('tune', values.tune, tunedParts) as FineTuneRecipeOptions['tune']
    const augment = oneOf('augment', values.augment, augmentationNames) as FineTuneRecipeOptions['augment']
    const size = values.size === undefined ? undefined : parseInteger('--size', values.size, 1)
    const progress = createProgress()
    if (values.download) await download(required(values.dataset, '--dataset'), data, progress)
    const dataset = values.dataset ?? (await guessDataset(data))
    const hub = { onProgress: showDownload(progress) }
    const written = await fineTuneRecipe({ model, dataset, data, tune, augment, size, hub })
    progress.end()
    const recipe = withSettings(written, values)
    const out = values.out ?? join('runs', `finetune-${basename(resolve(data)).replace(/\.[^.]+$/, '')}`)
    const name = `${model} (${describeSize(recipe)} pixels, learning rate ${recipe.optimizer.lr})`
    const then = [`Try it: vitral predict --model ${join(out, 'best')} IMAGE`]
    return runTraining({ command: 'finetune', args, values, name, recipe, data, out, then })
  },
}

/** @throws unless it is one of the names */
function oneOf(option: string, value: string, names: readonly string[]): string {
  if (names.includes(value)) return value
  throw new Error(`--${option} is '${value}'; expected one of ${names.join(', ')}.`)
}
