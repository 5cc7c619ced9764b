/** POST /v1/models/{model}/embed: features of images (embeddings), for comparison and search. */
import { createRoute, z } from '@hono/zod-openapi'
import { imageBody, withImages } from '../images/read-images.ts'
import { findModel, infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { checkAnswer } from '../predictions.ts'
import { createRouter, type Services } from '../services.ts'
import { failures, json, modelParameter, resultsOf, timeoutHeader } from './schemas.ts'

const route = createRoute({
  method: 'post',
  path: '/v1/models/{model}/embed',
  tags: ['Inference'],
  summary: 'Computes features of images',
  request: { params: modelParameter, headers: timeoutHeader, body: imageBody },
  responses: {
    200: json(
      resultsOf(z.object({ features: z.array(z.number()) })).openapi('Embedding'),
      'What the classifier reads, or the pooled features of a model without one: featureSize numbers, of a ViT the class token after the last layer norm.',
    ),
    ...failures,
  },
})

export const embedRoutes = (services: Services) => {
  const router = createRouter()
  router.post('/v1/models/:model/embed', countInference(services.metrics))
  return router.openapi(route, async context => {
    const { name, featureSize } = findModel(context, services, context.req.valid('param').model)
    return withImages(context, services, async images => {
      const inputs = images.map(image => ({ image }))
      checkAnswer(images.length, featureSize, services.config.limits)
      const { outputs, version } = await infer(context, services, { model: name, task: 'embed', inputs })
      const results = outputs.map(({ features }) => ({ features: Array.from(features as Float32Array) }))
      return context.json({ model: name, version, results }, 200)
    })
  })
}
