/** The configuration: every field with its type, default and check. */
import { z } from '@hono/zod-openapi'
import { modelNamePattern } from './engine.ts'
import { isLoopback } from './loopback.ts'

const MiB = 2 ** 20
const milliseconds = z.int().min(1)
const bytes = z.int().min(1)

/** Schema of a name of a model or key. */
export const modelName = z
  .string()
  .regex(modelNamePattern, 'must be letters and digits, with . _ - in between, at most 64 characters')

const keys = z
  .array(
    z.strictObject({
      /** Name in logs and rate limits. */
      name: modelName,
      /** SHA-256 of the key, in hexadecimal; the key itself is not stored. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits, as sha256sum prints'),
    }),
  )
  .default([])

/** Schema of one model. */
export const modelSchema = z.strictObject({
  name: modelName,
  /** Path of a Hugging Face model folder. */
  folder: z.string().min(1),
  backend: z.enum(['auto', 'native', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  precision: z.enum(['float32', 'bfloat16', 'float16', 'int8']).default('float32'),
  /** Threads of each worker process; without it, the backend chooses. */
  threads: z.int().min(1).optional(),
  /** Worker processes that compute; each holds the weights. */
  workers: z.int().min(1).default(1),
  maxBatchSize: z.int().min(1).default(8),
  /** Milliseconds that the first image of a batch waits for others. */
  maxDelay: z.number().min(0).default(0),
  /** Images that may wait; further ones are rejected. */
  queueSize: z.int().min(1).default(256),
  load: z.enum(['start', 'on-demand']).default('start'),
})

const rate = z.strictObject({
  /** Sustained requests a second. */
  requestsPerSecond: z.number().positive(),
  /** Requests that may come at once. */
  burst: z.int().min(1),
})

/** Schema of the configuration. Sections have `prefault`, so that one may be left out and its fields' defaults apply. */
export const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /**
   * Names in the Host header that are accepted beside this machine's own. Without any, a server on a loopback address accepts
   * this machine's names only, and a server on another address accepts every name.
   */
  hosts: z.array(z.string().min(1)).default([]),
  /** Port to listen on; 0 takes any free one. */
  port: z.int().min(0).max(65535).default(8000),
  /** Allows other addresses than this machine's own without an API key. */
  allowWithoutKey: z.boolean().default(false),
  models: z
    .array(modelSchema)
    .refine(models => new Set(models.map(({ name }) => name)).size === models.length, 'two models have the same name')
    .default([]),
  engine: z
    .strictObject({
      /** Memory budget of all models' worker processes, in resident bytes; null for no limit. */
      memoryBytes: bytes.nullable().default(null),
      /** Worker processes that decode images. */
      decoders: z.int().min(1).default(1),
      /** Longest time for decoding one image, in seconds. */
      decodeSeconds: z.int().min(1).default(5),
      /** Longest time an image may wait in the queue (decoder plus model), in ms. */
      queueMilliseconds: milliseconds.default(2000),
      /** Longest time for a batch, in ms; a worker that takes longer is restarted. */
      watchdogMilliseconds: milliseconds.default(15_000),
      /** Interval between checks of the models' folders for changes, in ms; 0 turns them off. */
      watchMilliseconds: z.int().min(0).default(2000),
    })
    .prefault({}),
  auth: z
    .strictObject({
      /** API keys; without any, requests need no key. */
      keys,
      /** Keys for the routes that reload and unload models, and nothing else; without any, these routes do not exist. */
      adminKeys: keys,
    })
    .prefault({}),
  /** Rate limits; null for no limit. */
  rateLimit: z
    .strictObject({
      perAddress: rate.nullable().default(null),
      perKey: rate.nullable().default(null),
      /** Addresses and keys that are remembered at once. */
      entries: z.int().min(1).default(10_000),
      /** Reads a client's address from the last entry of X-Forwarded-For; only safe behind a proxy that sets it. */
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
      /** Limit on the bodies of all requests in memory. */
      totalBytes: bytes.default(256 * MiB),
      jsonDepth: z.int().min(1).max(1000).default(64),
      imagesPerRequest: z.int().min(1).default(32),
      /** Largest number of values in a JSON answer; binary answers may have more. */
      answerValues: z.int().min(1).default(100_000),
      imagePixels: z.int().min(1).default(24_000_000),
      imageSide: z.int().min(1).default(16_384),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      /** Longest time from a request's last byte to its answer, in ms. */
      requestMilliseconds: milliseconds.default(10_000),
      /** Time that a request's body may take beyond its size divided by the rate below, in ms. */
      uploadMilliseconds: milliseconds.default(10_000),
      uploadBytesPerSecond: z
        .int()
        .min(1)
        .default(64 * 1024),
      /** Seconds after which an idle connection is closed; at least 5 s more than requestMilliseconds. */
      idleSeconds: z.int().min(1).max(255).default(30),
      /** Time after SIGTERM in which requests are still accepted while /v2/health/ready already fails, for load balancers, in ms. */
      drainDelayMilliseconds: z.int().min(0).default(0),
      /** Time for finishing accepted requests after that, in ms. */
      drainMilliseconds: milliseconds.default(10_000),
    })
    .prefault({}),
  /** Whether /metrics is open without a key. */
  publicMetrics: z.boolean().default(false),
  /** Traces for OpenTelemetry, if a collector's endpoint is given here or by OTEL_EXPORTER_OTLP_ENDPOINT; OTEL_SERVICE_NAME is the default of serviceName. */
  tracing: z.strictObject({ endpoint: z.url().optional(), serviceName: z.string().min(1).optional() }).prefault({}),
  /** Whether each request and each event of a model is logged, as a JSON line. */
  log: z.boolean().default(true),
  /** Largest number of log lines a second; further ones are counted in a single line. */
  logLinesPerSecond: z.int().min(1).default(1000),
})

/** A configuration with all its defaults. */
export type Config = z.output<typeof configSchema>
/** A configuration as it is written: every field with a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>

/**
 * Validates a configuration and fills in its defaults.
 *
 * @throws Error of one line that names each field that is wrong
 */
export function parseConfig(input: unknown): Config {
  const { data, error } = configSchema.safeParse(input)
  if (error)
    throw new Error(
      `The configuration is wrong: ${error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')}.`,
    )
  const { requestMilliseconds, idleSeconds } = data.timeouts
  // An idle connection is reset: the client would see that instead of the deadline's error.
  if (requestMilliseconds + 5000 > idleSeconds * 1000)
    throw new Error(
      `timeouts.idleSeconds is ${idleSeconds}; expected at least 5 s more than timeouts.requestMilliseconds, ${requestMilliseconds}.`,
    )
  if (!isLoopback(data.host) && data.auth.keys.length === 0 && !data.allowWithoutKey)
    throw new Error(
      `host is ${data.host}, which others can reach, and auth.keys is empty; expected a key, or allowWithoutKey if that is intended.`,
    )
  return data
}
