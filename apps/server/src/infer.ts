/** Runs a request's inputs through the engine: what all routes that compute have in common. */
import type { Context } from 'hono'
import type { EngineRequest, EngineResult, ModelDescription } from './engine.ts'
import { RequestError } from './errors.ts'
import type { AppEnv, Services } from './services.ts'

/** @throws RequestError 'model_not_found' */
export function findModel(context: Context<AppEnv>, { engine }: Services, name: string): ModelDescription {
  const model = engine.models().find(candidate => candidate.name === name)
  if (!model) throw new RequestError('model_not_found', 'Unknown model; GET /v1/models lists all of them.')
  context.set('model', model.name)
  return model
}

/**
 * The deadline is the earliest of the request's own, the `Timeout` header's and the server's.
 *
 * @throws EngineError, RequestError
 */
export async function infer(
  context: Context<AppEnv>,
  { engine, config, metrics }: Services,
  request: Omit<EngineRequest, 'signal'>,
): Promise<EngineResult> {
  const result = await engine.run({
    ...request,
    signal: context.req.raw.signal,
    timeout: Math.min(request.timeout ?? Infinity, headerTimeout(context), config.timeouts.requestMilliseconds),
  })
  if (result.outputs.length !== request.inputs.length)
    throw new RequestError(
      'worker_failed',
      `The model returned ${result.outputs.length} outputs for ${request.inputs.length} inputs.`,
    )
  metrics.images(request.model, result)
  const { queue, decode, compute } = result.stages
  context.set('stages', { ...result.stages, ended: Date.now() })
  context.header('X-Queue-Time', queue.toFixed(1))
  context.header('X-Preprocess-Time', decode.toFixed(1))
  context.header('X-Inference-Time', compute.toFixed(1))
  return result
}

function headerTimeout(context: Context): number {
  const header = context.req.header('timeout')
  if (header === undefined) return Infinity
  if (!/^[1-9]\d{0,8}$/.test(header))
    throw new RequestError('invalid_request', 'The header Timeout is not a whole number of milliseconds, 1 or more.')
  return Number(header)
}
