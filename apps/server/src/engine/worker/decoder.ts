/**
 * A process that turns image files into RGB bytes of a model's size, and lays attention over them. It is a process of its own because the files are
 * strangers': what one of them does to a decoder harms no model, and images are decoded while a batch is computed.
 */
import { BrokenImageError, type BrokenImageReason, decodeImage, functional, usesNativeImages } from '@vitral/datasets'
import type { DecodeCall, DrawCall } from '../decoders.ts'
import { EngineError, type EngineErrorCode } from '../engine.ts'
import { floatsOf } from '../framing.ts'
import { giveBack } from '../give-back.ts'
import { drawAttention } from './draw-attention.ts'
import { serve } from './serve.ts'

const codes: Record<BrokenImageReason, EngineErrorCode> = {
  format: 'unsupported_format',
  limit: 'image_too_large',
  time: 'image_too_slow',
  damaged: 'image_corrupt',
}

await usesNativeImages()
serve({
  async decode(header, body) {
    const { resize, maxPixels, timeoutSeconds } = header as unknown as DecodeCall
    const image = await decode(body, { maxPixels, timeoutSeconds })
    const { data, width, height } = resize
      ? functional.resize(image, resize.size, { interpolation: resize.interpolation })
      : image
    if (data !== image.data) giveBack(image.data as Uint8Array)
    return { header: { width, height }, bodies: [data as Uint8Array] }
  },
  async draw(header, body) {
    const { height, width, ...limits } = header as unknown as DrawCall
    const size = height * width * Float32Array.BYTES_PER_ELEMENT
    const values = floatsOf(body.subarray(0, size))
    return { bodies: [await drawAttention(body.subarray(size), { height, width, values }, limits)] }
  },
})

async function decode(bytes: Uint8Array, limits: { maxPixels: number; timeoutSeconds: number }) {
  try {
    return await decodeImage(bytes, { ...limits, formats: ['jpeg', 'png', 'webp'] })
  } catch (error) {
    if (!(error instanceof BrokenImageError)) throw error
    // The advice is for who sets the limit.
    throw new EngineError(codes[error.reason], error.message.replace(/; raise \w+ if that is meant/, ''))
  }
}
