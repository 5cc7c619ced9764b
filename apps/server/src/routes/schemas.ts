/** Schemas that several routes share. */
import { z } from '@hono/zod-openapi'
import { modelName } from '../config.ts'
import { errorCodes } from '../errors.ts'
import { predictionSchema } from '../predictions.ts'

const errorSchema = z.object({ error: z.string(), code: z.enum(errorCodes) }).openapi('Error')

export const failure = {
  description: 'The error: a sentence for people and a code for programs.',
  content: { 'application/json': { schema: errorSchema } },
} as const

/** Errors of a route that computes. */
export const failures = {
  400: failure,
  401: failure,
  404: failure,
  413: failure,
  415: failure,
  422: failure,
  429: failure,
  500: failure,
  503: failure,
  504: failure,
} as const

export const modelParameter = z.object({ model: modelName.openapi({ param: { name: 'model', in: 'path' } }) })

export const topK = z.coerce
  .number()
  .int()
  .min(1)
  .max(100_000)
  .default(5)
  .openapi({ description: 'Number of classes, best first.' })

export const timeoutHeader = z.object({
  timeout: z.string().optional().openapi({ description: 'Deadline of the request, in milliseconds.' }),
})

export const predictionsSchema = z.array(predictionSchema)

/** Schema of an answer with one result for each image, in the order of the upload. */
export const resultsOf = <Schema extends z.ZodType>(
  schema: Schema,
): z.ZodObject<{ model: z.ZodString; version: z.ZodString; results: z.ZodArray<Schema> }> =>
  z.object({ model: z.string(), version: z.string(), results: z.array(schema) })

export const json = <Schema extends z.ZodType>(
  schema: Schema,
  description: string,
): { description: string; content: { 'application/json': { schema: Schema } } } => ({
  description,
  content: { 'application/json': { schema } },
})
