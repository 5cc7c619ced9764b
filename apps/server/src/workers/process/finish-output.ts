/** Reduces what was computed for an input to what was requested. It runs in the worker process, so that the server need not. */
import { firstNonFinite } from '@vitral/core/finite'
import { scores, topClasses } from '@vitral/core/scores'
import type { BestClasses, EngineOutput, ModelDescription } from '../../engine.ts'
import type { Purpose } from '../protocol.ts'

/**
 * @param purpose undefined if there are more outputs than inputs, which the server detects
 * @returns null if a requested value is non-finite (NaN or Inf)
 */
export function finishOutput(
  output: EngineOutput,
  purpose: Purpose | undefined,
  { scoring }: Pick<ModelDescription, 'scoring'>,
): EngineOutput | null {
  const { logits, ...rest } = pick(output, purpose)
  const arrays = [logits, rest.features, rest.attention?.values]
  if (arrays.some(values => values && firstNonFinite(values) >= 0)) return null
  if (!logits) return rest
  return { ...rest, ...(purpose?.best ? { best: bestClasses(logits, purpose.best, scoring) } : { logits }) }
}

/** @param own the model's own scoring, used unless the request names another */
export function bestClasses(
  logits: Float32Array,
  { count, scoring }: BestClasses,
  own: ModelDescription['scoring'],
): NonNullable<EngineOutput['best']> {
  const values = scores(logits, { problemType: null, numLabels: logits.length }, scoring ?? own)
  const indices = topClasses(values, count)
  return { indices: Float32Array.from(indices), scores: Float32Array.from(indices, index => values[index] as number) }
}

/** Picks the outputs of one task: a batch is computed for the tasks of all its inputs. */
function pick({ logits, features, attention }: EngineOutput, { task }: Purpose = { task: 'classify' }): EngineOutput {
  if (task === 'embed') return { features }
  if (task === 'classify-and-embed') return { logits, features }
  return task === 'explain' ? { logits, attention } : { logits }
}
