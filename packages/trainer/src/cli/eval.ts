/** `vitral eval`: how well a model folder recognises the images of a data set. */

import { AutoModelForImageClassification, ViTImageProcessor } from '@vitral/core'
import { jsonLine, listChoices } from '@vitral/core/text'
import { type SplitChoice, splitChoices, splitNamed } from '@vitral/datasets/sources'
import { describeUnderstood } from '../data/data-summary.ts'
import { withLabelsOf } from '../data/match-labels.ts'
import { datasetNames, datasetSplits, openDataset, testSplit } from '../data/open-dataset.ts'
import { evaluationBatches } from '../data/training-data.ts'
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import { cropMargin, testTimeAugmentations } from '../evaluation/test-time-augmentation.ts'
import {
  backendOption,
  type Command,
  dataOptions,
  defineCommand,
  maxPixelsOption,
  precisionOption,
  print,
  reasonOf,
} from './command.ts'
import { describeEvaluation } from './describe-evaluation.ts'
import { download, fetchModel } from './download.ts'
import { choice, flag, integer, parsed, required } from './options.ts'
import { createProgress } from './progress.ts'
import { startBackend } from './start-backend.ts'

const options = {
  model: required({ value: 'FOLDER', help: 'a model folder, or a hub id' }),
  dataset: required({ value: 'NAME', help: datasetNames.join(', ') }),
  data: dataOptions.data,
  download: dataOptions.download,
  split: parsed(splitOf, {
    value: 'NAME',
    help: `${listChoices(splitChoices)} (the data set's own test images, or else validation images; all of a folder or list that has no splits)`,
  }),
  'by-position': flag("takes the data's classes in the order of the model's, whatever their names"),
  'skip-broken': dataOptions['skip-broken'],
  ...maxPixelsOption,
  'batch-size': integer({ default: 100, help: 'images at a time' }),
  ...precisionOption,
  tta: choice(testTimeAugmentations, { help: 'averages several views of each image' }),
  confusion: flag(
    'also prints how often each class was taken for which; of more than 50 classes, the most frequent cases',
  ),
  ...backendOption,
}

export const evalCommand: Command = defineCommand({
  summary: 'measures a model folder on a data set',
  usage: ['eval --model FOLDER --dataset NAME [--data PATH]'],
  json: '{accuracy, top5, loss, count, seconds, imagesPerSecond, macroF1, ece, perClass: [{label, count, accuracy, precision, recall, f1}], confusion, calibration}; top5 is null of five classes or fewer; above 100 classes confusion is null, and confusionCells is [[is, taken for, images], …]; of images that may have several classes {accuracy, meanAveragePrecision, microF1, …}',
  options,

  async run({ values }) {
    const { model: id, dataset, 'batch-size': batchSize, precision, tta: augmentation } = values
    const progress = createProgress()
    if (values.download) await download(dataset, values.data, progress)
    const onBroken = values['skip-broken'] ? 'skip' : 'raise'
    const split = values.split ?? (await testSplit(dataset, values.data))
    await checkSplitIsThere(dataset, values.data, split)
    const opened = await openDataset(dataset, values.data, split, {
      onBroken,
      decode: { maxPixels: values['max-pixels'] },
    })
    await startBackend(values.backend)
    const folder = await fetchModel(id, progress)
    const processor = await ViTImageProcessor.fromPretrained(folder)
    const model = await AutoModelForImageClassification.fromPretrained(folder)
    for (const line of describeUnderstood([{ name: split, dataset: opened }])) progress.say(line)
    const images = withLabelsOf(opened, model.config.id2label, { model: folder, byPosition: values['by-position'] })
    const onSkipped = (reason: string): void => progress.say(`Left out: ${reasonOf(reason)}`)
    const margin = augmentation?.endsWith('crop') ? cropMargin : 1
    const result = await evaluate(model, evaluationBatches(images, processor, { batchSize, margin, onSkipped }), {
      labels: images.classes,
      precision,
      multiLabel: images.multiLabel,
      augmentation,
      onBatch: done => progress.update({ title: 'evaluation', done, total: images.length }),
    })
    progress.end()
    print(values.json ? jsonLine(result) : describeEvaluation(result as Evaluation, values.confusion))
    return 0
  },
})

/** @throws unless it names a split, or all of them. */
function splitOf(option: string, name: string): SplitChoice {
  const split = name === 'all' ? name : splitNamed(name)
  if (!split) throw new Error(`${option} is '${name}'; expected one of ${splitChoices.join(', ')}.`)
  return split
}

/** @throws where another split would stand in for it. */
async function checkSplitIsThere(dataset: string, path: string, split: SplitChoice): Promise<void> {
  if (split === 'all') return
  const there = await datasetSplits(dataset, path)
  if (!there.includes(split)) throw new Error(`${path} has no ${split} images; it has ${there.join(', ')}.`)
}
