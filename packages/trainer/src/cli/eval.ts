/** `vitral eval`: how well a model folder recognises the images of a data set. */
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { evaluationBatches } from '../data.ts'
import { type Evaluation, evaluate } from '../evaluate.ts'
import { withLabelsOf } from '../match-labels.ts'
import { datasetNames, openDataset } from '../open-dataset.ts'
import { createProgress } from '../progress.ts'
import { backendOption, type Command, oneLine, parse, percent, print, required, wholeNumber } from './command.ts'
import { download, fetchModel } from './download.ts'

const options = {
  ...backendOption,
  model: { type: 'string' },
  dataset: { type: 'string' },
  data: { type: 'string', default: 'data' },
  download: { type: 'boolean', default: false },
  'skip-broken': { type: 'boolean', default: false },
  'batch-size': { type: 'string', default: '100' },
} as const

export const evalCommand: Command = {
  summary: 'measures a model folder on a data set',
  help: `Usage: vitral eval --model FOLDER --dataset NAME [--data PATH] [OPTIONS]

  --model FOLDER     a model folder, or a hub id
  --dataset NAME     ${datasetNames.join(', ')}; its test images are used
  --data PATH        where the data set is (data): its folder, or the file of a manifest
  --download         downloads the data set to --data first, unless it is there
  --skip-broken      leaves out images that cannot be decoded, and says which
  --batch-size N     images at a time (100)
  --backend NAME     auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --json             {accuracy, top5, loss, count, seconds, imagesPerSecond, perClass: [{label, count, accuracy}]}
  --help             this text`,

  async run(args) {
    const { values } = parse(args, options)
    const id = required(values.model, '--model')
    const dataset = required(values.dataset, '--dataset')
    const batchSize = wholeNumber(values['batch-size'], '--batch-size', 1)
    const progress = createProgress()
    if (values.download) await download(dataset, values.data, progress)
    const onBroken = values['skip-broken'] ? 'skip' : 'raise'
    const opened = await openDataset(dataset, values.data, 'test', { onBroken })
    await useBackend(values.backend as 'auto')
    const folder = await fetchModel(id, progress)
    const processor = await ViTImageProcessor.fromPretrained(folder)
    const model = await ViTForImageClassification.fromPretrained(folder)
    const images = withLabelsOf(opened, model.config.id2label, { dataset, model: folder })
    const onSkipped = (reason: string): void => progress.say(`Left out: ${oneLine(reason)}`)
    const result = await evaluate(model, evaluationBatches(images, processor, batchSize, onSkipped), {
      labels: images.classes,
      onBatch: done => progress.update({ title: 'evaluation', done, total: images.length }),
    })
    progress.end()
    print(values.json ? JSON.stringify(result) : describe(result as Evaluation))
    return 0
  },
}

function describe({ accuracy, top5, loss, count, imagesPerSecond, perClass }: Evaluation): string {
  const width = Math.max(...perClass.map(({ label }) => label.length))
  return [
    `accuracy ${percent(accuracy)}, top-5 ${percent(top5)}, loss ${loss.toFixed(4)}: ${count} images at ${imagesPerSecond.toFixed(0)} a second`,
    ...perClass.map(
      ({ label, count, accuracy }) =>
        `  ${label.padEnd(width)}  ${accuracy === null ? 'no image' : `${percent(accuracy).padStart(7)} of ${count}`}`,
    ),
  ].join('\n')
}
