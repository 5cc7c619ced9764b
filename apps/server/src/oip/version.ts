/** Models by version: each model is served in one, named after its content. */
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { ModelDescription } from '../engine.ts'
import { RequestError } from '../errors.ts'
import { findModel } from '../infer.ts'
import type { AppEnv, Services } from '../services.ts'

export const versionParameter = {
  version: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, 'is not a version')
    .openapi({ param: { name: 'version', in: 'path' } }),
}

/** @throws RequestError 'model_not_found', also for a version that is not in service */
export function findVersion(
  context: Context<AppEnv>,
  services: Services,
  { model: name, version }: { model: string; version?: string },
): ModelDescription {
  const model = findModel(context, services, name)
  if (version !== undefined && version !== model.version)
    throw new RequestError(
      'model_not_found',
      'The model is served in another version; GET /v2/models/{model} names it.',
    )
  return model
}
