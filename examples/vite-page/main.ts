/** Classifies the images that are chosen, and at first the one that comes with the page. */
import { scores, topClasses, useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'

const progress = document.querySelector('progress') as HTMLProgressElement
const input = document.querySelector('input') as HTMLInputElement
const output = document.querySelector('output') as HTMLOutputElement

/** A Hugging Face model folder: what lies in `public/` is served beside the page. */
const modelUrl = new URL('model/', document.baseURI).href

const backend = await useBackend('auto')
console.info(`Backend: ${backend.name}`, backend.passedOver)
const model = await ViTForImageClassification.fromPretrained(modelUrl, {
  onProgress({ received, total }) {
    progress.value = received / total
  },
})
const processor = await ViTImageProcessor.fromPretrained(modelUrl)
progress.hidden = true
input.disabled = false

/** The three most likely classes, as a line. */
async function classify(image: string | File): Promise<string> {
  const pixels = await processor.preprocess(await decodeImage(image))
  const { logits } = model.forward(pixels)
  const values = scores((await logits.data()) as Float32Array, model.config)
  pixels.dispose()
  logits.dispose()
  return topClasses(values, 3)
    .map(i => `${model.config.id2label[i]} ${((values[i] as number) * 100).toFixed(1)} %`)
    .join(', ')
}

input.addEventListener('change', async () => {
  const lines = []
  for (const file of input.files ?? [])
    lines.push(`${file.name}: ${await classify(file).catch((error: Error) => error.message)}`)
  output.textContent = lines.join('\n')
})
output.textContent = `cat.png: ${await classify(new URL('cat.png', document.baseURI).href)}`
