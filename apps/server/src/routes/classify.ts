/** POST /v1/models/{model}/classify: names of what is in images, with scores. */
import { createRoute, z } from '@hono/zod-openapi'
import { imageBody, withImages } from '../images/read-images.ts'
import { findModel, infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { predictions } from '../predictions.ts'
import { createRouter, type Services } from '../services.ts'
import { failures, json, modelParameter, predictionsSchema, resultsOf, timeoutHeader, topK } from './schemas.ts'

const route = createRoute({
  method: 'post',
  path: '/v1/models/{model}/classify',
  tags: ['Inference'],
  summary: 'Classifies images',
  request: { params: modelParameter, query: z.object({ top_k: topK }), headers: timeoutHeader, body: imageBody },
  responses: {
    200: json(resultsOf(z.object({ predictions: predictionsSchema })).openapi('Classification'), 'Scores, best first.'),
    ...failures,
  },
})

export const classifyRoutes = (services: Services) => {
  const router = createRouter()
  router.post('/v1/models/:model/classify', countInference(services.metrics))
  return router.openapi(route, async context => {
    const { name } = findModel(context, services, context.req.valid('param').model)
    const { top_k } = context.req.valid('query')
    return withImages(context, services, async images => {
      const inputs = images.map(image => ({ image }))
      const { outputs, version } = await infer(context, services, { model: name, task: 'classify', inputs })
      // Looked up again: a model that was loaded for this request has labels only now.
      const model = findModel(context, services, name)
      const results = outputs.map(({ logits }) => ({ predictions: predictions(logits as Float32Array, model, top_k) }))
      return context.json({ model: name, version, results }, 200)
    })
  })
}
