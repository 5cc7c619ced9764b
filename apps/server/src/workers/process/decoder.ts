/**
 * The entry of a decoder: a worker process that decodes image files to a model's size and channels, and lays attention over
 * them. The files are untrusted: one that crashes a decoder harms no model, and images are decoded while a batch is computed.
 */
import { fitImage, type ImageGeometry, type RawImage } from '@vitral/core/image'
import { functional } from '@vitral/datasets'
import { usesNativeImages } from '@vitral/datasets/images'
import { EngineError } from '../../engine.ts'
import { floatsOf } from '../../ipc/framing.ts'
import { releaseBuffer } from '../../ipc/release-buffer.ts'
import { decodeUpload } from './decode-upload.ts'
import { drawAttention } from './draw-attention.ts'
import { serve } from './serve.ts'

await usesNativeImages()
serve({
  async decode({ geometry, ...limits }, body) {
    const image = await decodeUpload(body, limits)
    const { data, width, height } = fit(image, geometry)
    if (data !== image.data) releaseBuffer(image.data as Uint8Array)
    return { reply: { width, height }, bodies: [data as Uint8Array] }
  },
  async draw({ geometry, height, width, ...limits }, body) {
    const size = height * width * Float32Array.BYTES_PER_ELEMENT
    const values = floatsOf(body.subarray(0, size))
    const image = await decodeUpload(body.subarray(size), limits)
    return { reply: {}, bodies: [await drawAttention(image, { height, width, values }, geometry)] }
  },
})

function fit(image: RawImage, geometry: ImageGeometry): RawImage {
  try {
    return fitImage(image, geometry, functional.resize)
  } catch (error) {
    throw new EngineError('image_too_large', (error as Error).message, { cause: error })
  }
}
