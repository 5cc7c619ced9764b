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
  const scores = scorers[scoring](logits)
  return largest(scores, topK).map(index => ({
    label: labels[index] ?? `LABEL_${index}`,
    index,
    score: scores[index] as number,
  }))
}

/** Where the largest are, best first, of equal ones the first; without sorting a thousand for the sake of five. */
function largest(scores: Float32Array, count: number): number[] {
  const best: number[] = []
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    if (best.length === count && score <= (scores[best[count - 1] as number] as number)) continue
    let place = Math.min(best.length, count - 1)
    for (; place > 0 && (scores[best[place - 1] as number] as number) < score; place--)
      best[place] = best[place - 1] as number
    best[place] = i
  }
  return best
}

const scorers: Record<Scoring, (logits: Float32Array) => Float32Array> = {
  none: logits => logits,
  sigmoid: logits => logits.map(logit => 1 / (1 + Math.exp(-logit))),
  softmax(logits) {
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity)
    const powers = logits.map(logit => Math.exp(logit - most))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map(power => power / sum)
  },
}
