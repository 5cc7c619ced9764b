/** From logits to names with scores, best first. */
import { z } from '@hono/zod-openapi'
import type { ModelDescription } from './engine/engine.ts'

export const scoring = ['softmax', 'sigmoid', 'none'] as const
export type Scoring = (typeof scoring)[number]

export const predictionSchema = z
  .object({ label: z.string(), index: z.int().min(0), score: z.number() })
  .openapi('Prediction')

export type Prediction = z.output<typeof predictionSchema>

/** @param scoring the model's own unless given: sigmoid of a multi-label one, softmax of others */
export function predictions(
  logits: Float32Array,
  { labels, multiLabel }: Pick<ModelDescription, 'labels' | 'multiLabel'>,
  topK: number,
  scoring: Scoring = multiLabel ? 'sigmoid' : 'softmax',
): Prediction[] {
  return Array.from(scorers[scoring](logits), (score, index) => ({
    label: labels[index] ?? `LABEL_${index}`,
    index,
    score,
  }))
    .sort((a, b) => b.score - a.score)
    .slice(0, topK)
}

const scorers: Record<Scoring, (logits: Float32Array) => Float32Array> = {
  none: logits => logits,
  sigmoid: logits => logits.map(logit => 1 / (1 + Math.exp(-logit))),
  softmax(logits) {
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
    const powers = logits.map(logit => Math.exp(logit - largest))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map(power => power / sum)
  },
}
