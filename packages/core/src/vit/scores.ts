/** Scores of the classes from logits, and the best of them: the same in every command and route. No tensors. */
import { firstNonFinite } from '../finite.ts'
import type { ViTConfig } from './config.ts'

/** softmax: shares of one class; sigmoid: each class a yes or no of its own; none: the logits themselves. */
export type Scoring = 'softmax' | 'sigmoid' | 'none'

/**
 * The scoring that a configuration asks for, as in transformers' pipelines: none for regression, the sigmoid for
 * multi-label models and models with a single label, otherwise softmax.
 *
 * @example
 * scoringOf({ problemType: null, numLabels: 1 }) // 'sigmoid': softmax would be 1 for every image
 */
export function scoringOf({ problemType, numLabels }: Pick<ViTConfig, 'problemType' | 'numLabels'>): Scoring {
  if (problemType === 'regression') return 'none'
  return problemType === 'multi_label_classification' || numLabels === 1 ? 'sigmoid' : 'softmax'
}

/**
 * The scores of one image's classes.
 *
 * @param logits of one image, one for each class
 * @param scoring another than the configuration's
 * @returns a new array, in the order of the logits
 * @throws when a logit is NaN or infinite: the weights are damaged, or the input overflows
 * @example
 * scores(new Float32Array([0]), { problemType: null, numLabels: 1 }) // Float32Array [0.5]
 */
export function scores(
  logits: Float32Array,
  config: Pick<ViTConfig, 'problemType' | 'numLabels'>,
  scoring: Scoring = scoringOf(config),
): Float32Array {
  const wrong = firstNonFinite(logits)
  if (wrong >= 0)
    throw new Error(
      `logits[${wrong}] is ${logits[wrong]}; expected finite numbers. The model's weights are damaged, or the image overflows them.`,
    )
  return scorers[scoring](logits)
}

/**
 * The classes with the highest scores, best first; equal ones in the order that they have. Time grows with the number of
 * scores, whatever `count` is, apart from sorting the `count` best.
 *
 * @returns indices, `count` of them or as many as there are scores
 * @example
 * topClasses(new Float32Array([0.1, 0.7, 0.2]), 2) // [1, 2]
 */
export function topClasses(scores: Float32Array, count: number): number[] {
  const most = Math.min(count, scores.length)
  if (most < 1) return []
  // The least score that is among the best: typed arrays sort as numbers, without calling back.
  const cut = scores.slice().sort()[scores.length - most] as number
  const above: number[] = []
  const equal: number[] = []
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    if (score > cut) above.push(i)
    else if (score === cut && equal.length < most) equal.push(i)
  }
  above.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  return above.concat(equal.slice(0, most - above.length))
}

const scorers: Record<Scoring, (logits: Float32Array) => Float32Array> = {
  none: logits => logits.slice(),
  sigmoid: logits => logits.map(logit => 1 / (1 + Math.exp(-logit))),
  softmax(logits) {
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity)
    const powers = logits.map(logit => Math.exp(logit - most))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map(power => power / sum)
  },
}
