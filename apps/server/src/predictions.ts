/** From the best classes to their names, with scores. */
import { z } from '@hono/zod-openapi'
import type { Config } from './config.ts'
import type { EngineOutput, ModelDescription } from './engine.ts'
import { RequestError } from './errors.ts'

export const scoring = ['softmax', 'sigmoid', 'none'] as const

export const predictionSchema = z
  .object({ label: z.string(), index: z.int().min(0), score: z.number() })
  .openapi('Prediction')

type Prediction = z.output<typeof predictionSchema>

/** @returns the classes that the engine chose, best first; none of a model without a classifier */
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
 * Refuses an answer that would be long to write as JSON, which nobody else is answered meanwhile.
 *
 * @param values of each image
 * @throws RequestError
 */
export function checkAnswer(images: number, values: number, { answerValues }: Config['limits']): void {
  if (images * values > answerValues)
    throw new RequestError(
      'too_many_outputs',
      `The answer would have ${images * values} values; at most ${answerValues} are written as JSON. Ask for fewer classes or images, or for binary data.`,
    )
}

/** Classes that an answer has for each image; of a model that is not known yet, as many as are asked for. */
export const countOf = (topK: number, { labels }: Pick<ModelDescription, 'labels'>): number =>
  labels.length > 0 ? Math.min(topK, labels.length) : topK
