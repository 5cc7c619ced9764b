/** Predictions: names and scores of the best classes. */
import { z } from '@hono/zod-openapi'
import type { Config } from './config.ts'
import type { EngineOutput, ModelDescription } from './engine.ts'
import { RequestError } from './errors.ts'

export const scoring = ['softmax', 'sigmoid', 'none'] as const

export const predictionSchema = z
  .object({ label: z.string(), index: z.int().min(0), score: z.number() })
  .openapi('Prediction')

type Prediction = z.output<typeof predictionSchema>

/** @returns the classes that the engine chose, best first; none for a model without a classifier */
export function predictions(
  { best }: EngineOutput,
  { labels, classifies }: Pick<ModelDescription, 'labels' | 'classifies'>,
): Prediction[] {
  if (!classifies) return []
  if (!best) throw new Error('The engine was not asked for the best classes.')
  return Array.from(best.indices, (index, i) => ({
    label: labels[index] ?? `LABEL_${index}`,
    index,
    score: best.scores[i] as number,
  }))
}

/**
 * Rejects an answer that would be too large to write as JSON, which blocks all other answers meanwhile.
 *
 * @param values number of values for each image
 * @throws RequestError 'too_many_outputs'
 */
export function checkAnswer(images: number, values: number, { answerValues }: Config['limits']): void {
  if (images * values > answerValues)
    throw new RequestError(
      'too_many_outputs',
      `The answer would have ${images * values} values; expected at most ${answerValues} as JSON. Request fewer classes or images, or binary data.`,
    )
}

/** Number of classes in an answer for each image; for a model whose labels are not known yet, as many as requested. */
export const countOf = (topK: number, { labels }: Pick<ModelDescription, 'labels'>): number =>
  labels.length > 0 ? Math.min(topK, labels.length) : topK
