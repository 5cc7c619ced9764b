/** POST /v2/models/{model}/infer: inference by the Open Inference Protocol. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { withBody } from '../body/body.ts'
import { infer } from '../infer.ts'
import { countInference } from '../middleware/count-inference.ts'
import { readRequest } from '../oip/read-request.ts'
import { type InferResponse, inferRequestSchema, inferResponseSchema, type OutputName } from '../oip/schemas.ts'
import { findVersion, versionParameter } from '../oip/version.ts'
import { bestOf, checkOutputs, writeOutputs } from '../oip/write-response.ts'
import { type AppEnv, createRouter, type Services } from '../services.ts'
import { failures, json, modelParameter, timeoutHeader } from './schemas.ts'

/** Header of the protocol's binary extension that has the length of the JSON. */
const headerLength = 'Inference-Header-Content-Length'

const route = {
  method: 'post' as const,
  tags: ['Open Inference Protocol'],
  summary: 'Computes logits or features',
  request: {
    headers: timeoutHeader.extend({ [headerLength.toLowerCase()]: z.string().optional() }),
    body: {
      required: true,
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/InferRequest' } },
        'application/octet-stream': { schema: { type: 'string' as const, format: 'binary' } },
      },
    },
  },
  responses: { 200: json(inferResponseSchema, 'The outputs; binary ones follow the JSON.'), ...failures },
}

const latest = createRoute({
  ...route,
  path: '/v2/models/{model}/infer',
  request: { ...route.request, params: modelParameter },
})
const versioned = createRoute({
  ...route,
  path: '/v2/models/{model}/versions/{version}/infer',
  request: { ...route.request, params: modelParameter.extend(versionParameter) },
})

export const oipInferRoutes = (services: Services) => {
  const router = createRouter()
  router.openAPIRegistry.register('InferRequest', inferRequestSchema)
  for (const path of ['/v2/models/:model/infer', '/v2/models/:model/versions/:version/infer'])
    router.post(path, countInference(services.metrics))
  return router
    .openapi(latest, context => answer(context, services, context.req.valid('param')))
    .openapi(versioned, context => answer(context, services, context.req.valid('param')))
}

async function answer(context: Context<AppEnv>, services: Services, target: { model: string; version?: string }) {
  const model = findVersion(context, services, target)
  const { limits } = services.config
  return withBody(context, services, { maxBytes: limits.tensorBytes }, async body => {
    const { id, inputs, outputs, parameters } = readRequest(body, context.req.header(headerLength), model, limits)
    const isWanted = (name: OutputName): boolean => outputs.some(output => output.name === name)
    const task = !isWanted('features') ? 'classify' : isWanted('logits') ? 'classify-and-embed' : 'embed'
    const timeout = parameters.timeout === undefined ? undefined : parameters.timeout / 1000
    checkOutputs(outputs, parameters.binary_data_output, inputs.length, model, limits)
    const best = bestOf(outputs)
    const request = { model: model.name, task, inputs, best, ...(timeout && { timeout }) } as const
    const result = await infer(context, services, request)
    const { outputs: written, binary } = writeOutputs(
      outputs,
      parameters.binary_data_output,
      result.outputs,
      findVersion(context, services, { model: model.name }),
    )
    const response: InferResponse = {
      model_name: model.name,
      model_version: result.version,
      ...(id === undefined ? {} : { id }),
      outputs: written,
    }
    if (binary.length === 0) return context.json(response, 200)
    const head = Buffer.from(JSON.stringify(response))
    return context.body(Buffer.concat([head, ...binary]), 200, {
      'Content-Type': 'application/octet-stream',
      [headerLength]: String(head.length),
    }) as never
  })
}
