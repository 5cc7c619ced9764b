/** Everything that can be configured, with its default; what a file, the environment and flags end up as. */
import { z } from '@hono/zod-openapi'
import { modelNamePattern } from './engine.ts'
import { isLoopback } from './loopback.ts'

const MiB = 2 ** 20
const milliseconds = z.int().min(1)
const bytes = z.int().min(1)

export const modelName = z.string().regex(modelNamePattern, 'must be of letters, digits, and . _ - within, 64 at most')

const keys = z
  .array(
    z.strictObject({
      /** For logs and rate limits. */
      name: modelName,
      /** Of the key, in hexadecimal: the key itself is nowhere. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits, as sha256sum prints'),
    }),
  )
  .default([])

const modelSchema = z.strictObject({
  name: modelName,
  /** A model folder. */
  folder: z.string().min(1),
  backend: z.enum(['auto', 'native', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  precision: z.enum(['float32', 'bfloat16', 'int8']).default('float32'),
  /** Threads of each process; without it, the backend chooses. */
  threads: z.int().min(1).optional(),
  /** Processes that compute; each holds the weights. */
  workers: z.int().min(1).default(1),
  maxBatchSize: z.int().min(1).default(8),
  /** Milliseconds that the first image of a batch waits for others. */
  maxDelay: z.number().min(0).default(0),
  /** Images that may wait. */
  queueSize: z.int().min(1).default(256),
  load: z.enum(['start', 'on-demand']).default('start'),
})

const rate = z.strictObject({
  /** Requests a second, in the long run. */
  requestsPerSecond: z.number().positive(),
  /** How many may come at once. */
  burst: z.int().min(1),
})

/** `prefault` where a whole section may be left out: its own fields' defaults are then used. */
export const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /**
   * Names beside this machine's own that clients may know the server by, as in the Host header. Without any, a server on a
   * loopback address answers to those of this machine alone, and one that others reach to all.
   */
  hosts: z.array(z.string().min(1)).default([]),
  /** 0 takes any free port. */
  port: z.int().min(0).max(65535).default(8000),
  /** Listens on other addresses than this machine's own without any API key. */
  allowWithoutKey: z.boolean().default(false),
  models: z
    .array(modelSchema)
    .refine(models => new Set(models.map(({ name }) => name)).size === models.length, 'two models have the same name')
    .default([]),
  engine: z
    .strictObject({
      /** Of all models' processes; null: as much as there is. */
      memoryBytes: bytes.nullable().default(null),
      /** Processes that decode images. */
      decoders: z.int().min(1).default(1),
      decodeSeconds: z.int().min(1).default(5),
      /** That an image may wait, for a decoder and then for the model. */
      queueMilliseconds: milliseconds.default(2000),
      /** After which a process that computes is taken to hang, and replaced. */
      watchdogMilliseconds: milliseconds.default(15_000),
      /** Between two looks for changes in the models' folders; 0 never looks. */
      watchMilliseconds: z.int().min(0).default(2000),
    })
    .prefault({}),
  auth: z
    .strictObject({
      /** Empty: no key is asked for. */
      keys,
      /** Open the routes that load models anew, and nothing else; without one there are no such routes. */
      adminKeys: keys,
    })
    .prefault({}),
  /** No limit where one is null. */
  rateLimit: z
    .strictObject({
      perAddress: rate.nullable().default(null),
      perKey: rate.nullable().default(null),
      /** Addresses and keys remembered at once. */
      entries: z.int().min(1).default(10_000),
      /** Takes a client's address from the last entry of X-Forwarded-For: only behind a proxy that sets it. */
      trustProxy: z.boolean().default(false),
    })
    .prefault({}),
  cors: z.strictObject({ origins: z.array(z.url()).default([]) }).prefault({}),
  limits: z
    .strictObject({
      imageBytes: bytes.default(10 * MiB),
      jsonBytes: bytes.default(4 * MiB),
      tensorBytes: bytes.default(64 * MiB),
      multipartBytes: bytes.default(64 * MiB),
      /** Of all requests together that are in memory. */
      totalBytes: bytes.default(256 * MiB),
      jsonDepth: z.int().min(1).max(1000).default(64),
      imagesPerRequest: z.int().min(1).default(32),
      /** Scores and numbers that one answer has as JSON; binary answers have more. */
      answerValues: z.int().min(1).default(100_000),
      imagePixels: z.int().min(1).default(24_000_000),
      imageSide: z.int().min(1).default(16_384),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      /** From a request's last byte to its answer. */
      requestMilliseconds: milliseconds.default(10_000),
      /** For a request's body, beside what its bytes are given at the rate below. */
      uploadMilliseconds: milliseconds.default(10_000),
      uploadBytesPerSecond: z
        .int()
        .min(1)
        .default(64 * 1024),
      /** Without a byte on a connection; must leave a request five seconds to be answered. */
      idleSeconds: z.int().min(1).max(255).default(30),
      /** That requests are still taken after SIGTERM while /v2/health/ready already says no, for a load balancer to see. */
      drainDelayMilliseconds: z.int().min(0).default(0),
      /** For what was accepted before SIGTERM. */
      drainMilliseconds: milliseconds.default(10_000),
    })
    .prefault({}),
  /** Whether /metrics needs no key. */
  publicMetrics: z.boolean().default(false),
  /** Traces for OpenTelemetry, where there is a collector's address; OTEL_EXPORTER_OTLP_ENDPOINT names one, too, and OTEL_SERVICE_NAME who they are of, where these do not. */
  tracing: z.strictObject({ endpoint: z.url().optional(), serviceName: z.string().min(1).optional() }).prefault({}),
  /** A JSON line for each request, and for what happens to models. */
  log: z.boolean().default(true),
  /** Of those in a second at most; how many more there were is said in one. */
  logLinesPerSecond: z.int().min(1).default(1000),
})

export type Config = z.output<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>

/** @throws one line, naming each field that is wrong. */
export function parseConfig(input: unknown): Config {
  const { data, error } = configSchema.safeParse(input)
  if (error)
    throw new Error(
      `The configuration is wrong: ${error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')}.`,
    )
  const { requestMilliseconds, idleSeconds } = data.timeouts
  // A connection that idles out is reset: the client would see that in place of the deadline's error.
  if (requestMilliseconds + 5000 > idleSeconds * 1000)
    throw new Error(
      `timeouts.idleSeconds is ${idleSeconds}; expected at least 5 s more than timeouts.requestMilliseconds, ${requestMilliseconds}.`,
    )
  if (!isLoopback(data.host) && data.auth.keys.length === 0 && !data.allowWithoutKey)
    throw new Error(
      `host is ${data.host}, which others can reach, and auth.keys is empty; expected a key, or allowWithoutKey where that is meant.`,
    )
  return data
}
