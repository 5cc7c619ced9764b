/** Requests and answers of the Open Inference Protocol v2 (REST), with its extensions for binary tensors and classification. */
import { z } from '@hono/zod-openapi'
import { atMost } from '../body/json.ts'

/** Names of the supported extensions, which clients look up in GET /v2. */
export const extensions = ['binary_tensor_data', 'classification', 'schedule_policy'] as const

/** Names of a model's inputs and outputs. */
const inputNames = ['pixel_values', 'image'] as const
const outputNames = ['logits', 'features'] as const
export type OutputName = (typeof outputNames)[number]

/** Unknown parameters are ignored, as in Triton: clients use some to say how they wrote a tensor. */
const parameter = z.union([z.string(), z.number(), z.boolean()])
const mostParameters = 100
const byteCount = z.int().min(0)

/** Values are not validated one by one here (an image has 150,528), but when they are copied. */
const data = z.custom<unknown[]>(Array.isArray, 'expected an array').openapi({ type: 'array', items: {} })

const inputSchema = z.strictObject({
  name: z.enum(inputNames),
  shape: atMost(4, z.array(z.int().min(0)).min(1)),
  datatype: z.enum(['FP32', 'BYTES']),
  parameters: atMost(
    mostParameters,
    z.object({ binary_data_size: byteCount.optional() }).catchall(parameter).prefault({}),
  ),
  data: data.optional(),
})

const requestedOutputSchema = z.strictObject({
  name: z.enum(outputNames),
  parameters: atMost(
    mostParameters,
    z
      .object({ binary_data: z.boolean().optional(), classification: z.int().min(1).optional() })
      .catchall(parameter)
      .prefault({}),
  ),
})

export const inferRequestSchema = z
  .strictObject({
    id: z
      .string()
      .max(255)
      .refine(id => !/\p{Surrogate}/u.test(id), 'expected well-formed Unicode')
      .optional(),
    parameters: atMost(
      mostParameters,
      z
        .object({
          binary_data_output: z.boolean().default(false),
          timeout: z.int().min(1).optional().openapi({ description: 'Microseconds.' }),
        })
        .catchall(parameter)
        .prefault({}),
    ),
    inputs: atMost(1, z.array(inputSchema).length(1)),
    outputs: atMost(
      outputNames.length,
      z
        .array(requestedOutputSchema)
        .min(1)
        .refine(outputs => new Set(outputs.map(({ name }) => name)).size === outputs.length, 'an output is named twice')
        .default([{ name: 'logits', parameters: {} }]),
    ),
  })
  .openapi('InferRequest')

export type InferRequest = z.output<typeof inferRequestSchema>
export type InferInput = InferRequest['inputs'][number]
export type RequestedOutput = InferRequest['outputs'][number]

const tensorSchema = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.int()).openapi({ description: '-1 stands for any size.' }),
})

export const modelMetadataSchema = z
  .object({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(tensorSchema),
    outputs: z.array(tensorSchema),
  })
  .openapi('ModelMetadata')

export const inferResponseSchema = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    outputs: z.array(
      z.object({
        name: z.string(),
        datatype: z.string(),
        shape: z.array(z.int()),
        parameters: z.object({ binary_data_size: byteCount }).optional(),
        data: z.array(z.union([z.number(), z.string()])).optional(),
      }),
    ),
  })
  .openapi('InferResponse')

export type InferResponse = z.output<typeof inferResponseSchema>
