/** `vitral predict`: what a model sees in images, or the features that it makes of them. */

import { type Tensor2D, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import {
  AutoModelForImageClassification,
  autocast,
  type ComputeDtype,
  scores,
  topClasses,
  ViTImageProcessor,
} from '@vitral/core'
import { type Scoring, scoringOf } from '@vitral/core/scores'
import { printable } from '@vitral/core/text'
import { computeImages } from '../predict/compute-images.ts'
import { findImages } from '../predict/find-images.ts'
import { createFormat, type FormatName, formatNames, type ImageResult } from '../predict/formats.ts'
import { backendOption, type Command, defineCommand, maxPixelsOption, precisionOption, printRaw } from './command.ts'
import { fetchModel } from './download.ts'
import { hasClassifier } from './has-classifier.ts'
import { choice, flag, integer, needed, required } from './options.ts'
import { printError } from './print-error.ts'
import { createProgress } from './progress.ts'
import { startBackend } from './start-backend.ts'

const options = {
  model: required({ value: 'FOLDER', help: 'a model folder, or a hub id' }),
  'top-k': integer({ default: 5, help: 'classes to show, best first' }),
  embed: flag(
    "features instead of classes, also of models without a classifier: what the classifier reads, of a ViT the class token after the last layer norm, and otherwise the pooled features; as the server's /embed gives them",
  ),
  format: choice(formatNames, {
    help: 'how results are written (text; with --embed jsonl), jsonl with an object for each line',
  }),
  'batch-size': integer({ default: 16, help: 'images at a time' }),
  ...maxPixelsOption,
  ...precisionOption,
  ...backendOption,
}

export const predict: Command = defineCommand({
  summary: 'classifies images, or gives their features',
  usage: ['predict --model FOLDER IMAGE…'],
  about: `IMAGE is a file, a folder (the image files in it, at any depth), a pattern such as 'photos/**/*.jpg', or - for an image on
the standard input. An image that cannot be read is a line on the standard error; the others have their results, and the
exit code is 1.`,
  json: '[{image, predictions: [{label, score}]}], with --embed [{image, features}]',
  after: `Scores are shares of one class; of a multi-label model, and of a model with a single class, each is a probability of its
own (the sigmoid of its logit); of regression they are the values.`,
  options,

  async run({ values, positionals: names }) {
    needed(names[0], 'The image file')
    const { model: id, 'top-k': count, 'batch-size': batchSize, 'max-pixels': maxPixels, precision } = values
    const formatName = formatOf(values)
    await startBackend(values.backend)
    const progress = createProgress()
    const folder = await fetchModel(id, progress)
    const { forward, scoring, resultOf } = await (values.embed ? openEmbedder : openClassifier)(folder, {
      precision,
      count,
    })
    const processor = await ViTImageProcessor.fromPretrained(folder)

    let [failed, done] = [0, 0]
    const fail = (problem: string): void => {
      failed++
      progress.beside(() => printError('predict', new Error(printable(problem))))
    }
    const { images, problems, ignored } = await findImages(names)
    for (const problem of problems) fail(problem)
    if (ignored.length > 0)
      progress.say(`Left out: ${ignored.length} files that are no images by their names, such as ${ignored[0]}`)
    const format = createFormat(formatName, scoring)
    const write = (text: string): void => progress.beside(() => printRaw(text))
    write(format.begin)
    try {
      for await (const { image, values, error } of computeImages(images, {
        forward,
        processor,
        batchSize,
        maxPixels,
      })) {
        if (values) write(format.result({ image, ...resultOf(values) }))
        else fail(error as string)
        progress.update({ title: 'predict', done: ++done, total: images.length })
      }
    } finally {
      progress.end()
      printRaw(format.end)
    }
    if (failed > 0 && images.length > 1)
      progress.say(`vitral predict: ${failed} of ${images.length + problems.length} could not be read.`)
    return failed > 0 ? 1 : 0
  },
})

interface OpenedModel {
  /** [B, c, h, w] → [B, K] */
  forward(pixels: Tensor4D): Tensor2D
  scoring: Scoring
  /** @param values a row of the forward pass's output */
  resultOf(values: Float32Array): Omit<ImageResult, 'image'>
}

interface OpenOptions {
  precision: ComputeDtype
  /** Classes to show. */
  count: number
}

async function openClassifier(folder: string, { precision, count }: OpenOptions): Promise<OpenedModel> {
  if (!(await hasClassifier(folder)))
    throw new Error(`The model in ${folder} has no classifier; expected one, or --embed for its features.`)
  const model = await AutoModelForImageClassification.fromPretrained(folder)
  const { config } = model
  if (config.numLabels === 0)
    throw new Error(`The model in ${folder} has no classes; expected a classifier, or --embed for its features.`)
  return {
    forward: pixels => autocast({ dtype: precision }, () => model.forward(pixels)).logits,
    scoring: scoringOf(config),
    resultOf(logits) {
      const all = scores(logits, config)
      const label = (index: number): string => config.id2label[index] ?? `LABEL_${index}`
      return {
        predictions: topClasses(all, count).map(index => ({ label: label(index), score: all[index] as number })),
      }
    },
  }
}

async function openEmbedder(folder: string, { precision }: OpenOptions): Promise<OpenedModel> {
  const head = (await hasClassifier(folder)) ? {} : { numLabels: 0 }
  const model = await AutoModelForImageClassification.fromPretrained(folder, head)
  return {
    forward: pixels =>
      tidy(() => {
        const { features, logits } = autocast({ dtype: precision }, () =>
          model.forward(pixels, { outputFeatures: true }),
        )
        return features ?? logits
      }),
    scoring: 'none',
    resultOf: features => ({ features: Array.from(features) }),
  }
}

/** @throws unless it agrees with --json and --embed */
function formatOf({ format, json, embed }: { format?: FormatName; json: boolean; embed: boolean }): FormatName {
  if (json && format !== undefined && format !== 'json')
    throw new Error(`Both --json and --format ${format} are given; expected one of them.`)
  const name = json ? 'json' : (format ?? (embed ? 'jsonl' : 'text'))
  if (embed && name === 'text') throw new Error('--format is text, which has no features; expected json, jsonl or csv.')
  return name
}
