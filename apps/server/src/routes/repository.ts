/** What an administrator can do: loading a model's folder anew. Addresses and names are Triton's. */
import { createRoute, z } from '@hono/zod-openapi'
import { EngineError } from '../engine/engine.ts'
import { findModel } from '../infer.ts'
import { createRouter, type Services } from '../services.ts'
import { failure, json, modelParameter } from './schemas.ts'

/** Where all routes of this file are; they need a key of their own. */
export const repositoryPath = '/v2/repository/'

const route = createRoute({
  method: 'post',
  path: `${repositoryPath}models/{model}/load`,
  tags: ['Administration'],
  summary: 'Loads a model’s folder anew',
  description: 'Requests are answered all the while; when the new one cannot be loaded, by the one before.',
  request: { params: modelParameter },
  responses: {
    200: json(z.object({ name: z.string(), version: z.string() }), 'What is served now.'),
    ...{ 401: failure, 404: failure, 500: failure },
  },
})

export const repositoryRoutes = (services: Services) =>
  createRouter().openapi(route, async context => {
    const { name } = findModel(context, services, context.req.valid('param').model)
    if (!services.engine.reload) throw new EngineError('model_failed', 'This engine cannot load a model anew.')
    const { version } = await services.engine.reload(name)
    return context.json({ name, version }, 200)
  })
