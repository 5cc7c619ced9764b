/** An engine without a model: its answers follow from the bytes it is given, and it fails on demand. */

import {
  type Engine,
  EngineError,
  type EngineErrorCode,
  type EngineRequest,
  type ModelDescription,
} from '../../src/index.ts'
import { decodeUpload } from '../../src/workers/process/decode-upload.ts'
import { drawAttention } from '../../src/workers/process/draw-attention.ts'
import { bestClasses } from '../../src/workers/process/finish-output.ts'

export interface FakeEngine extends Engine {
  /** Every request that came as far as the engine. */
  requests: EngineRequest[]
  /** What it does next, in place of answering. */
  fail?: EngineErrorCode | Error
  /** Milliseconds until an answer. */
  delay: number
  isReady: boolean
  closed: boolean
}

export const model: ModelDescription = {
  name: 'tiny',
  state: 'ready',
  classifies: true,
  labels: ['cat', 'dog', 'bird'],
  imageSize: [2, 2],
  numChannels: 3,
  featureSize: 4,
  backend: 'native',
  precision: 'float32',
  scoring: 'softmax',
  version: 'v1',
}

export function createFakeEngine(models: ModelDescription[] = [model]): FakeEngine {
  const engine: FakeEngine = {
    requests: [],
    delay: 0,
    isReady: true,
    closed: false,
    models: () => models,
    ready: () => engine.isReady,
    load: () => models.map(({ name }) => ({ model: name, queued: 0, running: 0 })),
    async close() {
      engine.closed = true
    },
    async run(request) {
      engine.requests.push(request)
      if (engine.delay) await Bun.sleep(engine.delay)
      if (engine.fail instanceof Error) throw engine.fail
      if (engine.fail) throw new EngineError(engine.fail, `It is ${engine.fail}.`, { retryAfter: 2.2 })
      const outputs = request.inputs.map(async input => {
        const attention = { height: 2, width: 2, values: Float32Array.of(1, 0.5, 0.25, 0) }
        const limits = { maxPixels: 1e7, timeoutSeconds: 5 }
        const first = 'image' in input ? (input.image.at(-1) ?? 0) : (input.pixelValues[0] ?? 0)
        const logits = Float32Array.of(1, 2, 0).map(value => value * first)
        return {
          ...(request.best ? { best: bestClasses(logits, request.best, 'softmax') } : { logits }),
          features: Float32Array.of(0, 1, 2, first),
          attention,
          ...(request.draw &&
            'image' in input && {
              drawn: await drawAttention(await decodeUpload(input.image, limits), attention, { channels: 3 }),
            }),
        }
      })
      return { outputs: await Promise.all(outputs), version: 'v1', stages: { queue: 1, decode: 2, compute: 3 } }
    },
  }
  return engine
}
