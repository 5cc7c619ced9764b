/** GET /v2…: metadata and health of the server and its models by the Open Inference Protocol v2. */
import { createRoute, z } from '@hono/zod-openapi'
import { RequestError } from '../errors.ts'
import { extensions, modelMetadataSchema } from '../oip/schemas.ts'
import { findVersion, versionParameter } from '../oip/version.ts'
import { createRouter, type Services } from '../services.ts'
import { version } from '../version.ts'
import { failure, json, modelParameter } from './schemas.ts'

const common = { method: 'get' as const, tags: ['Open Inference Protocol'] }

const serverRoute = createRoute({
  ...common,
  path: '/v2',
  summary: 'Describes the server',
  responses: {
    200: json(z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }), 'The server.'),
    401: failure,
  },
})

const liveRoute = createRoute({
  ...common,
  path: '/v2/health/live',
  summary: 'Whether the process answers',
  responses: { 200: json(z.object({ live: z.boolean() }), 'It does.') },
})

const readyRoute = createRoute({
  ...common,
  path: '/v2/health/ready',
  summary: 'Whether all models are ready',
  responses: { 200: json(z.object({ ready: z.boolean() }), 'They are.'), 503: failure },
})

const modelRoute = {
  summary: 'Describes a model',
  responses: { 200: json(modelMetadataSchema, 'The model.'), 400: failure, 401: failure, 404: failure },
}

const modelReadyRoute = {
  summary: 'Whether a model is ready',
  responses: {
    200: json(z.object({ name: z.string(), ready: z.boolean() }), 'It is.'),
    ...{ 400: failure, 401: failure, 404: failure, 503: failure },
  },
}

const model = { ...common, request: { params: modelParameter } }
const modelVersion = { ...common, request: { params: modelParameter.extend(versionParameter) } }
const routes = {
  model: createRoute({ ...model, ...modelRoute, path: '/v2/models/{model}' }),
  modelVersion: createRoute({ ...modelVersion, ...modelRoute, path: '/v2/models/{model}/versions/{version}' }),
  ready: createRoute({ ...model, ...modelReadyRoute, path: '/v2/models/{model}/ready' }),
  readyVersion: createRoute({
    ...modelVersion,
    ...modelReadyRoute,
    path: '/v2/models/{model}/versions/{version}/ready',
  }),
}

export const oipRoutes = (services: Services) => {
  const { engine, isDraining } = services
  return createRouter()
    .openapi(serverRoute, context => context.json({ name: 'vitral', version, extensions: [...extensions] }, 200))
    .openapi(liveRoute, context => context.json({ live: true }, 200))
    .openapi(readyRoute, context => {
      if (isDraining()) throw new RequestError('draining', 'The server is shutting down.')
      if (!engine.ready()) throw new RequestError('not_ready', 'Not every model is ready.')
      return context.json({ ready: true }, 200)
    })
    .openapi(routes.model, context =>
      context.json(describe(findVersion(context, services, context.req.valid('param'))), 200),
    )
    .openapi(routes.modelVersion, context =>
      context.json(describe(findVersion(context, services, context.req.valid('param'))), 200),
    )
    .openapi(routes.ready, context =>
      context.json(readiness(findVersion(context, services, context.req.valid('param'))), 200),
    )
    .openapi(routes.readyVersion, context =>
      context.json(readiness(findVersion(context, services, context.req.valid('param'))), 200),
    )
}

type Found = ReturnType<typeof findVersion>

function readiness({ name, state }: Found): { name: string; ready: boolean } {
  if (state !== 'ready') throw new RequestError('model_not_ready', `The model is ${state}.`, { retryAfter: 1 })
  return { name, ready: true }
}

function describe({
  name,
  version,
  numChannels,
  imageSize,
  labels,
  classifies,
  featureSize,
}: Found): z.output<typeof modelMetadataSchema> {
  return {
    name,
    versions: [version],
    platform: 'vitral_safetensors',
    inputs: [
      { name: 'pixel_values', datatype: 'FP32', shape: [-1, numChannels, ...imageSize] },
      { name: 'image', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      ...(classifies ? [{ name: 'logits', datatype: 'FP32', shape: [-1, labels.length || -1] }] : []),
      { name: 'features', datatype: 'FP32', shape: [-1, featureSize] },
    ],
  }
}
