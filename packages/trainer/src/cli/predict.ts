/** `vitral predict`: what a model sees in image files. */
import { sigmoid, softmax, type Tensor2D, tidy, topk } from '@tensorflow/tfjs-core'
import { autocast, useBackend, type ViTConfig, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'
import { createProgress } from '../progress.ts'
import {
  backendOption,
  type Command,
  parse,
  percent,
  precisionOf,
  precisionOption,
  print,
  required,
  wholeNumber,
} from './command.ts'
import { fetchModel } from './download.ts'

const options = {
  ...backendOption,
  model: { type: 'string' },
  'top-k': { type: 'string', default: '5' },
  ...precisionOption,
} as const

interface Prediction {
  label: string
  /** Probability, from 0 to 1; of a model whose classes do not exclude each other that of each by itself. */
  score: number
}

export const predict: Command = {
  summary: 'classifies image files',
  help: `Usage: vitral predict --model FOLDER IMAGE… [OPTIONS]

  --model FOLDER     a model folder, or a hub id
  --top-k N          classes to show, best first (5)
  --precision NAME   float32, or bfloat16 or int8 (native alone) for the products (float32)
  --backend NAME     auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --json             [{image, predictions: [{label, score}]}]
  --help             this text`,

  async run(args) {
    const { values, positionals: images } = parse(args, options)
    const id = required(values.model, '--model')
    required(images[0], 'The image file')
    const count = wholeNumber(values['top-k'], '--top-k', 1)
    const dtype = precisionOf(values)
    await useBackend(values.backend as 'auto')
    const folder = await fetchModel(id, createProgress())
    const model = await ViTForImageClassification.fromPretrained(folder)
    const processor = await ViTImageProcessor.fromPretrained(folder)
    const results: { image: string; predictions: Prediction[] }[] = []
    for (const image of images) {
      const pixelValues = await processor.preprocess([await decodeImage(image)])
      const { logits } = autocast({ dtype }, () => model.forward(pixelValues))
      results.push({ image, predictions: await best(logits, model.config, count) })
      pixelValues.dispose()
      logits.dispose()
    }
    if (values.json) print(JSON.stringify(results))
    else
      for (const { image, predictions } of results)
        print([image, ...predictions.map(({ label, score }) => `  ${percent(score).padStart(7)}  ${label}`)].join('\n'))
    return 0
  },
}

/** @param logits [1, K] */
async function best(logits: Tensor2D, config: ViTConfig, count: number): Promise<Prediction[]> {
  const { problemType, id2label: labels } = config
  const scoresOf = problemType === 'multi_label_classification' ? sigmoid : softmax
  const { values, indices } = tidy(() => topk(scoresOf(logits), Math.min(count, logits.shape[1])))
  const [scores, classes] = await Promise.all([values.data(), indices.data()])
  values.dispose()
  indices.dispose()
  return Array.from(scores, (score, i) => ({ label: labels[classes[i] as number] ?? `LABEL_${classes[i]}`, score }))
}
