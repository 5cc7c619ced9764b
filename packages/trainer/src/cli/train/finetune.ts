/** `vitral finetune`: a model and a folder of images in; that model, knowing these classes, out. */

import { basename, join, resolve } from 'node:path'
import { guessDataset } from '../../data/guess-dataset.ts'
import {
  augmentationNames,
  describeSize,
  fineTuneDefaults,
  fineTuneRecipe,
  tunedParts,
} from '../../recipes/fine-tune.ts'
import { type Command, defineCommand } from '../command.ts'
import { download, showDownload } from '../download.ts'
import { choice, flag, integer, needed } from '../options.ts'
import { createProgress } from '../progress.ts'
import { withSettings } from '../recipe-option.ts'
import { runTraining } from './run-training.ts'
import { trainingHelp, trainingOptions } from './training-options.ts'

const training = trainingOptions('runs/finetune-FOLDER')

const options = {
  tune: choice(tunedParts, {
    ...{ value: 'PART', default: fineTuneDefaults.tune },
    help: 'what trains (head: the new classifier alone, which is fast and needs the fewest images; lora: low-rank adapters and the classifier, in little memory)',
  }),
  augment: choice(augmentationNames, {
    ...{ value: 'HOW', default: fineTuneDefaults.augment },
    help: 'augmentation of the training images (light: crops, mirror images; strong: TrivialAugment too)',
  }),
  size: integer({ help: "images of N×N pixels in place of the model's own size" }),
  ...training,
  dataset: { ...training.dataset, standard: 'what FOLDER looks like' },
  download: flag('downloads the data set of --dataset to FOLDER first, unless it is there'),
}

export const finetune: Command = defineCommand({
  summary: 'trains a pretrained model on images of your own',
  goesOnUnread: true,
  usage: ['finetune MODEL FOLDER [--out DIR]'],
  about: `MODEL is a model folder or a hub id, such as google/vit-base-patch16-224. FOLDER holds a folder of images for each class, or
train, val and test with these in them; or it is a manifest's file. Images are prepared as the model's
preprocessor_config.json says, and training sees random parts of them, mirrored or not.

  vitral finetune google/vit-base-patch16-224 flowers
  vitral predict --model runs/finetune-flowers/best rose.jpg`,
  json: trainingHelp.json,
  after: `${trainingHelp.after}

Unless they are set: batches of 16, 10 epochs, AdamW with a learning rate that suits the part and the model's width, half
an epoch of warm-up and a cosine; a tenth of the images chooses the best model, and a tenth tests it, where FOLDER has no
val and test. recipe.json in --out has all of it.`,
  options,

  async run({ values, positionals, args }) {
    const [first, second, more] = positionals
    const model = needed(first, 'The model, which comes before the folder of images,')
    const data = needed(second, 'The folder of images, which comes after the model,')
    if (more !== undefined) throw new Error(`Unexpected argument '${more}'; expected MODEL FOLDER.`)
    const { tune, augment, size } = values
    const progress = createProgress()
    if (values.download) await download(needed(values.dataset, '--dataset'), data, progress)
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
})
