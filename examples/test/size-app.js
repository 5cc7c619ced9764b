// The least app that classifies: its size is what a page has to load.
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'

await useBackend('wasm')
const model = await ViTForImageClassification.fromPretrained('model')
const processor = await ViTImageProcessor.fromPretrained('model')
const { logits } = model.forward(await processor.preprocess(globalThis.image))
console.log(await logits.data())
