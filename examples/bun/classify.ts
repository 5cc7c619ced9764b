/** `bun classify.ts MODEL IMAGE…`: the class of each image, on the C++ kernels. A model is a folder, a URL or a hub id. */
import { scores, topClasses, useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'

const [source = 'google/vit-base-patch16-224', ...images] = Bun.argv.slice(2)
await useBackend('auto')
const model = await ViTForImageClassification.fromPretrained(source)
const processor = await ViTImageProcessor.fromPretrained(source)

for (const image of images) {
  const { logits } = model.forward(await processor.preprocess(await decodeImage(image)))
  const values = scores((await logits.data()) as Float32Array, model.config)
  const [best = 0] = topClasses(values, 1)
  console.log(`${image}: ${model.config.id2label[best]} ${((values[best] as number) * 100).toFixed(1)} %`)
}
