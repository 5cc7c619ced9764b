/** Loads a model, in whatever runtime this is: in a page, by a line of JSON from Node's input, or imported. */
import { useBackend } from '../src/backend.ts'
import type { DownloadProgress } from '../src/files/hub/receive.ts'
import { ViTImageProcessor } from '../src/image/image-processor.ts'
import { ViTForImageClassification } from '../src/vit/classifier.ts'

export interface LoadRequest {
  source: string
  /** @default the model */
  processor?: boolean
  options?: {
    revision?: string
    endpoint?: string
    token?: string
    cache?: boolean
    cacheFolder?: string
    maxBytes?: number
  }
  /** Aborts once so many bytes of the weights have arrived. */
  abortAt?: number
}

export interface LoadAnswer {
  /** What the model says of grey pixels, or the processor's mean. */
  values?: number[]
  error?: { name: string; message: string }
  warnings: string[]
  progress: DownloadProgress[]
}

export async function loadModel({ source, processor, options = {}, abortAt }: LoadRequest): Promise<LoadAnswer> {
  await useBackend('cpu')
  const [warnings, progress]: [string[], DownloadProgress[]] = [[], []]
  const controller = new AbortController()
  const all = {
    ...options,
    signal: controller.signal,
    onWarning: (message: string) => void warnings.push(message),
    onProgress: (event: DownloadProgress) => {
      progress.push(event)
      if (abortAt !== undefined && event.file.endsWith('.safetensors') && event.received >= abortAt) controller.abort()
    },
  }
  try {
    if (processor) {
      const { config } = await ViTImageProcessor.fromPretrained(source, all)
      return { values: [...config.imageMean], warnings, progress }
    }
    const model = await ViTForImageClassification.fromPretrained(source, all)
    const { imageSize, numChannels } = model.config
    const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : (imageSize as [number, number])
    const { tensor4d } = await import('@tensorflow/tfjs-core')
    const pixels = tensor4d(new Float32Array(numChannels * height * width), [1, numChannels, height, width])
    const { logits } = model.forward(pixels)
    const values = [...(await logits.data())]
    for (const tensor of [pixels, logits, model]) tensor.dispose()
    return { values, warnings, progress }
  } catch (error) {
    const { name, message } = error as Error
    return { error: { name, message }, warnings, progress }
  }
}

if (typeof document !== 'undefined') Object.assign(globalThis, { loadModel })
