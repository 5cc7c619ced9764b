/** Administration: lists, reloads and unloads models. Paths and names are Triton's model repository extension. */
import { createRoute, z } from '@hono/zod-openapi'
import { EngineError, type ModelDescription } from '../engine.ts'
import { findModel } from '../infer.ts'
import { createRouter, type Services } from '../services.ts'
import { failure, json, modelParameter } from './schemas.ts'

/** Prefix of the paths in this file; they need an admin key. */
export const repositoryPath = '/v2/repository/'

const index = createRoute({
  method: 'post',
  path: `${repositoryPath}index`,
  tags: ['Administration'],
  summary: 'Lists models and their states',
  request: {
    body: {
      content: { 'application/json': { schema: z.object({ ready: z.boolean().default(false) }) } },
      required: false,
    },
  },
  responses: {
    200: json(
      z.array(z.object({ name: z.string(), version: z.string(), state: z.string(), reason: z.string() })),
      'All models, or with `ready` those that are ready.',
    ),
    ...{ 400: failure, 401: failure },
  },
})

const load = createRoute({
  method: 'post',
  path: `${repositoryPath}models/{model}/load`,
  tags: ['Administration'],
  summary: 'Reloads a model from its folder',
  description:
    'Requests are answered meanwhile; if the new version cannot be loaded, the version before stays in service.',
  request: { params: modelParameter },
  responses: {
    200: json(z.object({ name: z.string(), version: z.string() }), 'The version in service.'),
    ...{ 401: failure, 404: failure, 500: failure },
  },
})

const unload = createRoute({
  method: 'post',
  path: `${repositoryPath}models/{model}/unload`,
  tags: ['Administration'],
  summary: 'Frees a model’s memory',
  description: 'Running requests are answered first; the next request for the model loads it again.',
  request: { params: modelParameter },
  responses: {
    200: json(z.object({ name: z.string(), state: z.string() }), 'The model’s state.'),
    ...{ 401: failure, 404: failure, 500: failure },
  },
})

/** States in Triton's words. */
const states: Record<ModelDescription['state'], string> = {
  ready: 'READY',
  loading: 'LOADING',
  unloaded: 'UNAVAILABLE',
  failed: 'UNAVAILABLE',
}

export const repositoryRoutes = (services: Services) =>
  createRouter()
    .openapi(index, context => {
      const { ready } = context.req.valid('json') ?? { ready: false }
      const models = services.engine.models().map(({ name, version, state, error }) => ({
        ...{ name, version, state: states[state] },
        reason: error ?? (state === 'unloaded' ? 'unloaded' : ''),
      }))
      return context.json(ready ? models.filter(({ state }) => state === 'READY') : models, 200)
    })
    .openapi(load, async context => {
      const { name } = findModel(context, services, context.req.valid('param').model)
      if (!services.engine.reload) throw new EngineError('model_failed', 'This engine cannot reload models.')
      const { version } = await services.engine.reload(name)
      return context.json({ name, version }, 200)
    })
    .openapi(unload, async context => {
      const { name } = findModel(context, services, context.req.valid('param').model)
      if (!services.engine.unload) throw new EngineError('model_failed', 'This engine cannot unload models.')
      const { state } = await services.engine.unload(name)
      return context.json({ name, state: states[state] }, 200)
    })
