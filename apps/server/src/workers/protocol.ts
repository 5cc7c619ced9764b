/** The calls to worker processes: for each its request and its reply, as types and as schemas by which both sides read them. */
import type { BackendName, ComputeDtype } from '@vitral/core'
import { cropRoundings, type ImageGeometry, interpolations } from '@vitral/core/image'
import { z } from 'zod'
import { modelSchema } from '../config.ts'
import { type BestClasses, EngineError, engineErrorCodes, type ModelDescription, type Task, tasks } from '../engine.ts'
import type { Header } from '../ipc/framing.ts'

/** How a model is loaded. */
export interface ModelSettings {
  folder: string
  backend: 'auto' | BackendName
  precision: ComputeDtype
  /** Threads of the native backend; without it, the backend chooses. */
  threads?: number
  /** Largest batch, in images. */
  maxBatchSize: number
}

/** A loaded model, as its worker process describes it. */
export interface LoadedDescription extends Omit<ModelDescription, 'name' | 'state' | 'error'> {
  /** Size, crop and channels that an image is brought to before it is sent. */
  geometry: ImageGeometry
  /** Resident bytes of the process. */
  memory: number
  /** Unknown fields of config.json, the first hundred; absent if there are none. */
  unknownFields?: readonly string[]
}

/** What one input is computed for. */
export interface Purpose {
  task: Task
  best?: BestClasses
}

/** How the inputs lie in a body: their bytes one after the other. */
export type InputLayout = ({ kind: 'pixels' | 'pixelValues'; bytes: number } & Purpose)[]

/** Numbers of floats in a reply's body, input by input; null for an input whose values are non-finite. */
export type OutputLayout = ({
  logits?: number
  best?: number
  features?: number
  attention?: readonly [height: number, width: number]
} | null)[]

interface DecodeLimits {
  maxPixels: number
  timeoutSeconds: number
}

/** The calls by name: what the server sends and what the process answers, beside their bodies. */
export interface Calls {
  /** Describes a model folder by its JSON files. */
  describe: { request: Pick<ModelSettings, 'folder' | 'backend' | 'precision'>; reply: LoadedDescription }
  /** Loads a model folder. */
  load: { request: ModelSettings; reply: LoadedDescription }
  /** Computes a batch: the request's body is the inputs, the reply's the outputs' floats. */
  compute: {
    request: { inputs: InputLayout }
    reply: {
      layout: OutputLayout
      /** Resident bytes of the process. */
      memory: number
      /** Whether the model gives non-finite values for a known good input too: then the model is broken, not the request. */
      modelIsNonFinite: boolean
    }
  }
  /** Decodes an image file, the request's body, to a model's size: the reply's body. */
  decode: { request: { geometry: ImageGeometry } & DecodeLimits; reply: { width: number; height: number } }
  /** Lays attention over an image: the request's body is the attention's floats, then the image file; the reply's a PNG. */
  draw: {
    request: { geometry: ImageGeometry; height: number; width: number } & DecodeLimits
    reply: Record<never, never>
  }
}

export type CallName = keyof Calls

const count = z.int().min(0)
const side = z.int().min(1)
const sides = z.tuple([side, side])
const scoring = z.enum(['softmax', 'sigmoid', 'none'])
const limits = { maxPixels: side, timeoutSeconds: side }
const { backend, precision } = modelSchema.shape

const geometry: z.ZodType<ImageGeometry> = z.object({
  channels: side,
  resize: z.object({ size: z.union([sides, side]), interpolation: z.enum(interpolations) }).optional(),
  crop: z.object({ size: sides, rounding: z.enum(cropRoundings) }).optional(),
})

const description: z.ZodType<LoadedDescription> = z.object({
  classifies: z.boolean(),
  labels: z.array(z.string()),
  imageSize: sides,
  numChannels: side,
  featureSize: side,
  backend: z.string(),
  precision: precision.unwrap(),
  scoring,
  version: z.string(),
  geometry,
  memory: z.number(),
  unknownFields: z.array(z.string()).optional(),
})

const schemas: { [Name in CallName]: { [part in 'request' | 'reply']: z.ZodType<Calls[Name][part]> } } = {
  describe: { request: z.object({ folder: z.string(), backend, precision }), reply: description },
  load: {
    request: z.object({ folder: z.string(), backend, precision, threads: side.optional(), maxBatchSize: side }),
    reply: description,
  },
  compute: {
    request: z.object({
      inputs: z.array(
        z.object({
          kind: z.enum(['pixels', 'pixelValues']),
          bytes: count,
          task: z.enum(tasks),
          best: z.object({ count: side, scoring: scoring.optional() }).optional(),
        }),
      ),
    }),
    reply: z.object({
      layout: z.array(
        z
          .object({
            logits: count.optional(),
            best: count.optional(),
            features: count.optional(),
            attention: sides.optional(),
          })
          .nullable(),
      ),
      memory: z.number(),
      modelIsNonFinite: z.boolean(),
    }),
  },
  decode: { request: z.object({ geometry, ...limits }), reply: z.object({ width: side, height: side }) },
  draw: { request: z.object({ geometry, height: side, width: side, ...limits }), reply: z.object({}) },
}

const call = z.object({ id: count, call: z.string() })
const answer = z.object({
  id: count,
  error: z.object({ code: z.enum(engineErrorCodes).catch('model_failed'), message: z.string() }).optional(),
})

/**
 * The number and the name of a call.
 *
 * @throws when it has none: nothing can be answered then
 */
export const readCall = (header: Header): z.output<typeof call> => call.parse(header)

/** Whether a call of this name exists. */
export const isCallName = (name: string): name is CallName => Object.hasOwn(schemas, name)

/** The number of an answer's call, and its error, if it is one; undefined for what is no answer. */
export const readAnswer = (header: Header): z.output<typeof answer> | undefined => answer.safeParse(header).data

/** @throws EngineError naming what is wrong in the header */
export const readRequest = <Name extends CallName>(name: Name, header: Header): Calls[Name]['request'] =>
  read<Calls[Name]['request']>(schemas[name].request, header, `request '${name}'`)

/** @throws EngineError naming what is wrong in the header */
export const readReply = <Name extends CallName>(name: Name, header: Header): Calls[Name]['reply'] =>
  read<Calls[Name]['reply']>(schemas[name].reply, header, `reply to '${name}'`)

function read<T>(schema: z.ZodType<T>, header: Header, what: string): T {
  const { data, error } = schema.safeParse(header)
  if (!error) return data as T
  const [{ path, message } = { path: [], message: '' }] = error.issues
  throw new EngineError(
    'worker_failed',
    `A worker process sent a ${what} that is wrong: ${path.join('.')}: ${message}.`,
  )
}
