/** The work of a request without a server: a JPEG's bytes to logits, one image at a time or in batches. */
import { concat, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { noGrad, useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { fitImage, geometryOf } from '@vitral/core/image'
import { decodeImage, functional } from '@vitral/datasets'
import { usesNativeImages } from '@vitral/datasets/images'
import { serveRequests } from './line-protocol.ts'

await serveRequests(async ({ modelFolder, photo, threads }) => {
  await useBackend('native')
  const { setThreads } = await import('@vitral/backend-node')
  setThreads(threads)
  await usesNativeImages()
  const model = await ViTForImageClassification.fromPretrained(modelFolder)
  const { config } = await ViTImageProcessor.fromPretrained(modelFolder)
  const geometry = geometryOf(config)
  const normalizer = new ViTImageProcessor({ ...config, doResize: false, doCenterCrop: false })
  const bytes = new Uint8Array(await Bun.file(photo).arrayBuffer())

  const prepare = async (): Promise<Tensor4D> => {
    return await normalizer.preprocess(fitImage(await decodeImage(bytes), geometry, functional.resize))
  }
  return async ({ images, together }) => {
    for (let done = 0; done < images; done += together) {
      const pixels = await Promise.all(Array.from({ length: Math.min(together, images - done) }, prepare))
      const logits = tidy(() =>
        noGrad(() => model.forward(pixels.length > 1 ? concat(pixels) : (pixels[0] as Tensor4D)).logits),
      )
      for (const pixelValues of pixels) pixelValues.dispose()
      await logits.data()
      logits.dispose()
    }
  }
})
