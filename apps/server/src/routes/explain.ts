/** POST /v1/models/{model}/explain: the attention rollout of a model, as numbers or as a picture. */
import { createRoute, z } from '@hono/zod-openapi'
import { accepts } from 'hono/accepts'
import type { EngineOutput } from '../engine.ts'
import { RequestError } from '../errors.ts'
import { imageBody, withImages } from '../images/read-images.ts'
import { findModel, infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { checkAnswer, countOf, predictions } from '../predictions.ts'
import { createRouter, type Services } from '../services.ts'
import { failures, json, modelParameter, predictionsSchema, resultsOf, timeoutHeader, topK } from './schemas.ts'

const attentionSchema = z
  .object({ height: z.int(), width: z.int(), values: z.array(z.number()) })
  .openapi('Attention', {
    description: 'Attention rollout from the class token to each patch, row by row, scaled to a maximum of 1.',
  })

const explanation = resultsOf(z.object({ predictions: predictionsSchema, attention: attentionSchema }))
const { content, description } = json(
  explanation.openapi('Explanation'),
  'The attention, as numbers or laid over the image.',
)

const route = createRoute({
  method: 'post',
  path: '/v1/models/{model}/explain',
  tags: ['Inference'],
  summary: 'Shows where a model looked',
  description: 'With `Accept: image/png` and one image, the answer is the image with the attention laid over it.',
  request: { params: modelParameter, query: z.object({ top_k: topK }), headers: timeoutHeader, body: imageBody },
  responses: {
    200: { description, content: { ...content, 'image/png': { schema: { type: 'string', format: 'binary' } } } },
    406: failures[400],
    ...failures,
  },
})

type Explained = EngineOutput & Required<Pick<EngineOutput, 'attention'>>

export const explainRoutes = (services: Services) => {
  const router = createRouter()
  router.post('/v1/models/:model/explain', countInference(services.metrics))
  return router.openapi(route, async context => {
    const known = findModel(context, services, context.req.valid('param').model)
    const { name } = known
    const { top_k } = context.req.valid('query')
    const supports = ['application/json', 'image/png']
    const asImage = accepts(context, { header: 'Accept', supports, default: 'application/json' }) === 'image/png'
    return withImages(context, services, async images => {
      if (asImage && images.length > 1)
        throw new RequestError(
          'not_acceptable',
          `The request has ${images.length} images; expected one for an answer as PNG.`,
        )
      const inputs = images.map(image => ({ image }))
      checkAnswer(images.length, countOf(top_k, known), services.config.limits)
      const request = { model: name, task: 'explain' as const, inputs, best: { count: top_k }, draw: asImage }
      const { outputs, version } = await infer(context, services, request)
      if (asImage)
        return context.body(outputs[0]?.drawn as Uint8Array<ArrayBuffer>, 200, { 'Content-Type': 'image/png' })
      const model = findModel(context, services, name)
      const results = (outputs as Explained[]).map(output => ({
        predictions: predictions(output, model),
        attention: { ...output.attention, values: Array.from(output.attention.values) },
      }))
      return context.json({ model: name, version, results }, 200)
    })
  })
}
