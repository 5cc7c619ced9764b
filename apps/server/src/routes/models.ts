/** GET /v1/models: the models in service. */
import { createRoute, z } from '@hono/zod-openapi'
import { createRouter, type Services } from '../services.ts'
import { failure, json } from './schemas.ts'

const modelSchema = z
  .object({
    name: z.string(),
    state: z.enum(['unloaded', 'loading', 'ready', 'failed']),
    classifies: z
      .boolean()
      .openapi({ description: 'False for a model without a classifier, which gives features only.' }),
    labels: z.array(z.string()),
    imageSize: z.array(z.int()).length(2).openapi({ description: '[height, width]' }),
    backend: z.string(),
    precision: z.enum(['float32', 'bfloat16', 'float16', 'int8']),
    version: z.string(),
    error: z.string().optional(),
  })
  .openapi('Model')

const route = createRoute({
  method: 'get',
  path: '/v1/models',
  tags: ['Models'],
  summary: 'Lists the models',
  responses: { 200: json(z.object({ models: z.array(modelSchema) }), 'All models.'), 401: failure },
})

export const modelRoutes = ({ engine }: Services) =>
  createRouter().openapi(route, context => {
    const models = engine
      .models()
      .map(({ name, state, classifies, labels, imageSize, backend, precision, version, error }) => ({
        ...{ name, state, classifies, labels: [...labels], imageSize: [...imageSize], backend, precision, version },
        ...(error === undefined ? {} : { error }),
      }))
    return context.json({ models }, 200)
  })
