/** POST /models/{model}: image classification compatible with Hugging Face's inference API and its clients. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { fromBase64 } from '../body/base64.ts'
import { withBody } from '../body/body.ts'
import { readJson } from '../body/json.ts'
import type { EngineOutput } from '../engine.ts'
import { checkImage } from '../images/check-image.ts'
import { findModel, infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { checkAnswer, countOf, predictions, scoring } from '../predictions.ts'
import { type AppEnv, createRouter, type Services } from '../services.ts'
import { failures, json, modelParameter, timeoutHeader } from './schemas.ts'

const requestSchema = z
  .strictObject({
    inputs: z.string().openapi({ description: 'An image file in base64. URLs are not fetched.' }),
    parameters: z
      .strictObject({
        top_k: z.int().min(1).default(5),
        function_to_apply: z.enum(scoring).optional(),
      })
      .prefault({}),
    options: z.record(z.string(), z.unknown()).optional().openapi({
      description: 'Options of Hugging Face’s own service, such as `wait_for_model`; they have no effect.',
    }),
  })
  .openapi('HuggingFaceRequest')

type Inputs = z.output<typeof requestSchema>['parameters'] & { image: Uint8Array }

const route = createRoute({
  method: 'post',
  path: '/models/{model}',
  tags: ['Hugging Face'],
  summary: 'Classifies an image, compatible with Hugging Face',
  request: {
    params: modelParameter,
    headers: timeoutHeader,
    body: {
      required: true,
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/HuggingFaceRequest' } },
        'image/*': { schema: { type: 'string', format: 'binary' } },
      },
    },
  },
  responses: {
    200: json(z.array(z.object({ label: z.string(), score: z.number() })), 'Scores, best first.'),
    ...failures,
  },
})

export const huggingFaceRoutes = (services: Services) => {
  const router = createRouter()
  router.openAPIRegistry.register('HuggingFaceRequest', requestSchema)
  router.post('/models/:model', countInference(services.metrics))
  return router.openapi(route, async context => {
    const known = findModel(context, services, context.req.valid('param').model)
    const { name } = known
    return withInputs(context, services, async ({ image, top_k, function_to_apply }) => {
      checkImage(image, services.config.limits)
      checkAnswer(1, countOf(top_k, known), services.config.limits)
      const best = { count: top_k, scoring: function_to_apply }
      const { outputs } = await infer(context, services, { model: name, task: 'classify', inputs: [{ image }], best })
      const model = findModel(context, services, name)
      return context.json(
        predictions(outputs[0] as EngineOutput, model).map(({ label, score }) => ({ label, score })),
        200,
      )
    })
  })
}

async function withInputs<Result>(
  context: Context<AppEnv>,
  services: Services,
  use: (inputs: Inputs) => Promise<Result>,
): Promise<Result> {
  const { imageBytes, jsonBytes, jsonDepth } = services.config.limits
  if (!/^application\/json\s*(;|$)/i.test(context.req.header('content-type') ?? ''))
    return withBody(context, services, { maxBytes: imageBytes }, image => use({ image, top_k: 5 }))
  // Base64 encodes three bytes as four.
  const maxBytes = Math.max(jsonBytes, Math.ceil(imageBytes / 3) * 4 + 4096)
  return withBody(context, services, { maxBytes }, async body => {
    const { inputs, parameters } = readJson(body, requestSchema, jsonDepth)
    return use({ ...parameters, image: fromBase64(inputs, 'inputs') })
  })
}
