/** `vitral eval`: how well a model folder recognises the images of a data set. */

import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { jsonLine } from '@vitral/core/text'
import { type SplitChoice, splitChoices, splitNamed } from '@vitral/datasets/sources'
import { describeUnderstood } from '../data/data-summary.ts'
import { withLabelsOf } from '../data/match-labels.ts'
import { datasetNames, datasetSplits, openDataset, testSplit } from '../data/open-dataset.ts'
import { evaluationBatches } from '../data/training-data.ts'
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import { cropMargin, type TestTimeAugmentation, testTimeAugmentations } from '../evaluation/test-time-augmentation.ts'
import { parseInteger } from '../numbers.ts'
import {
  backendOption,
  type Command,
  maxPixelsOf,
  maxPixelsOption,
  parse,
  precisionOf,
  precisionOption,
  print,
  reasonOf,
  required,
} from './command.ts'
import { describeEvaluation } from './describe-evaluation.ts'
import { download, fetchModel } from './download.ts'
import { createProgress } from './progress.ts'

const options = {
  ...backendOption,
  ...maxPixelsOption,
  model: { type: 'string' },
  dataset: { type: 'string' },
  data: { type: 'string', default: 'data' },
  download: { type: 'boolean', default: false },
  split: { type: 'string' },
  'by-position': { type: 'boolean', default: false },
  'skip-broken': { type: 'boolean', default: false },
  'batch-size': { type: 'string', default: '100' },
  tta: { type: 'string' },
  confusion: { type: 'boolean', default: false },
  ...precisionOption,
} as const

export const evalCommand: Command = {
  summary: 'measures a model folder on a data set',
  help: `Usage: vitral eval --model FOLDER --dataset NAME [--data PATH] [OPTIONS]

  --model FOLDER     a model folder, or a hub id
  --dataset NAME     ${datasetNames.join(', ')}
  --data PATH        where the data set is (data): its folder, or the file of a manifest
  --download         downloads the data set to --data first, unless it is there
  --split NAME       train, validation, test or all (the data set's own test images, or else validation images;
                     all of a folder or list that has no splits)
  --by-position      takes the data's classes in the order of the model's, whatever their names
  --skip-broken      leaves out images that cannot be decoded, and says which
  --max-pixels N     larger images are refused (67108864, 8192 × 8192)
  --batch-size N     images at a time (100)
  --precision NAME   float32, or bfloat16 or int8 (native alone) for the products (float32)
  --tta NAME         averages several views of each image: flip, five-crop or ten-crop
  --confusion        also prints how often each class was taken for which; of more than 50 classes, the most frequent cases
  --backend NAME     auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --json             {accuracy, top5, loss, count, seconds, imagesPerSecond, macroF1, ece,
                     perClass: [{label, count, accuracy, precision, recall, f1}], confusion, calibration};
                     top5 is null of five classes or fewer; above 100 classes confusion is null, and
                     confusionCells is [[is, taken for, images], …];
                     of images that may have several classes {accuracy, meanAveragePrecision, microF1, …}
  --help             this text`,

  async run(args) {
    const { values } = parse(args, options)
    const id = required(values.model, '--model')
    const dataset = required(values.dataset, '--dataset')
    const batchSize = parseInteger('--batch-size', values['batch-size'], 1)
    const precision = precisionOf(values)
    const augmentation = augmentationOf(values.tta)
    const progress = createProgress()
    if (values.download) await download(dataset, values.data, progress)
    const onBroken = values['skip-broken'] ? 'skip' : 'raise'
    const split = values.split === undefined ? await testSplit(dataset, values.data) : splitOf(values.split)
    await checkSplitIsThere(dataset, values.data, split)
    const opened = await openDataset(dataset, values.data, split, {
      onBroken,
      decode: { maxPixels: maxPixelsOf(values) },
    })
    await useBackend(values.backend as 'auto')
    const folder = await fetchModel(id, progress)
    const processor = await ViTImageProcessor.fromPretrained(folder)
    const model = await ViTForImageClassification.fromPretrained(folder)
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
}

/** @throws unless it names a split, or all of them. */
function splitOf(name: string): SplitChoice {
  const split = name === 'all' ? name : splitNamed(name)
  if (!split) throw new Error(`--split is '${name}'; expected one of ${splitChoices.join(', ')}.`)
  return split
}

/** @throws where another split would stand in for it. */
async function checkSplitIsThere(dataset: string, path: string, split: SplitChoice): Promise<void> {
  if (split === 'all') return
  const there = await datasetSplits(dataset, path)
  if (!there.includes(split)) throw new Error(`${path} has no ${split} images; it has ${there.join(', ')}.`)
}

/** @throws unless it is one of the three. */
function augmentationOf(name: string | undefined): TestTimeAugmentation | undefined {
  if (name !== undefined && !testTimeAugmentations.includes(name as TestTimeAugmentation))
    throw new Error(`--tta is '${name}'; expected one of ${testTimeAugmentations.join(', ')}.`)
  return name as TestTimeAugmentation | undefined
}
