/** POST /v1/models/{model}/classify: labels of images, with scores. */
import { createRoute, z } from '@hono/zod-openapi'
import { imageBody, withImages } from '../images/read-images.ts'
import { findModel, infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { checkAnswer, countOf, predictions } from '../predictions.ts'
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
    const known = findModel(context, services, context.req.valid('param').model)
    const { name } = known
    const { top_k } = context.req.valid('query')
    return withImages(context, services, async images => {
      const inputs = images.map(image => ({ image }))
      checkAnswer(images.length, countOf(top_k, known), services.config.limits)
      const request = { model: name, task: 'classify' as const, inputs, best: { count: top_k } }
      const { outputs, version } = await infer(context, services, request)
      // The model is looked up again: one that was loaded for this request has its labels only now.
      const model = findModel(context, services, name)
      const results = outputs.map(output => ({ predictions: predictions(output, model) }))
      return context.json({ model: name, version, results }, 200)
    })
  })
}
