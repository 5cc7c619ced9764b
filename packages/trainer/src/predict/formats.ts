/** Results of images as text for people, or as JSON, JSON lines and CSV for programs; written one by one. */

import type { Scoring } from '@vitral/core/scores'
import { jsonLine, percent, printable } from '@vitral/core/text'
import { stringify } from 'csv-stringify/sync'

export interface Prediction {
  label: string
  /** A probability from 0 to 1, or a value of regression, by the model's problem type. */
  score: number
}

/** What a model says of one image: predictions or features. */
export interface ImageResult {
  image: string
  predictions?: readonly Prediction[]
  /** What the classifier reads, or the pooled features of a model without one. */
  features?: readonly number[]
}

/** Text of the results so far is whole when `end` has been written. */
export interface ResultFormat {
  begin: string
  result(result: ImageResult): string
  end: string
}

export const formatNames = ['text', 'json', 'jsonl', 'csv'] as const
export type FormatName = (typeof formatNames)[number]

/** @param scoring scores of 'none' are values, and not shares */
export const createFormat = (name: FormatName, scoring: Scoring): ResultFormat => formats[name](scoring)

const formats: Record<FormatName, (scoring: Scoring) => ResultFormat> = {
  text: scoring => ({ begin: '', result: result => `${describe(result, scoring)}\n`, end: '' }),
  json() {
    let separator = ''
    const result = (each: ImageResult): string => {
      const text = separator + jsonLine(each)
      separator = ','
      return text
    }
    return { begin: '[', result, end: ']\n' }
  },
  jsonl: () => ({ begin: '', result: result => `${jsonLine(result)}\n`, end: '' }),
  csv() {
    let header = true
    const result = (each: ImageResult): string => {
      const rows = [...(header ? [headerOf(each)] : []), ...rowsOf(each)]
      header = false
      return stringify(rows)
    }
    return { begin: '', result, end: '' }
  },
}

function describe({ image, predictions = [] }: ImageResult, scoring: Scoring): string {
  const lines = predictions.map(({ label, score }) => {
    const text = scoring === 'none' ? score.toPrecision(6) : percent(score)
    return `  ${text.padStart(7)}  ${printable(label)}`
  })
  return [printable(image), ...lines].join('\n')
}

/** A row for each class that is shown, or a column for each number of the features. */
function headerOf({ features }: ImageResult): string[] {
  return features ? ['image', ...features.map((_, i) => `feature_${i}`)] : ['image', 'label', 'score']
}

function rowsOf({ image, predictions = [], features }: ImageResult): (string | number)[][] {
  if (features) return [[printable(image), ...features]]
  return predictions.map(({ label, score }) => [printable(image), printable(label), score])
}
