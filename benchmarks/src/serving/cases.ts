/** What is measured of the server. */
import { namedConfig, type ViTConfig } from '@vitral/core'

export interface ServingCase {
  summary: string
  models: readonly ServedCase[]
  /** Keep-alive connections that each send one image after the other. */
  clients: number
  rounds: number
}

export interface ServedCase {
  title: string
  config: ViTConfig
  /** Images of one turn of all clients, and of one client. */
  images: { together: number; alone: number }
  /** Whether it is also measured by sizes of batches and delays. */
  batching?: boolean
}

export const servingCases: Readonly<Record<string, ServingCase>> = {
  serving: {
    summary:
      'JPEG photos of 500×375 to labels: `vitral serve`, the same work bare in one process, and onnxruntime-node behind a plain Hono handler',
    clients: 16,
    models: [
      {
        title: 'ViT-B/16 at 224×224',
        config: namedConfig('vit-base-patch16-224', { numLabels: 1000 }),
        images: { together: 160, alone: 16 },
      },
      {
        title: 'ViT-Ti/4 at 32×32',
        config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
        images: { together: 1024, alone: 100 },
        batching: true,
      },
    ],
    rounds: 3,
  },
}

/** Threads of the model's kernels, and of ONNX Runtime's. */
export const threads = 2

/** Milliseconds within which an answer is wanted while twice as many requests come as can be answered. */
export const deadline = 2000
