/** Model folders that are small enough to create and load in a test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor, ViTModel } from '@vitral/core'

/** Pixels of the tiny model's images: [3, 16, 16]. */
export const PIXELS = 3 * 16 * 16

const config = {
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 32,
  imageSize: 16,
  patchSize: 8,
  initializerRange: 0.5,
}

/** Writes a model of random parameters into the folder, over what is there. */
export async function saveTinyModel(
  folder: string,
  { seed = 0, numLabels = 3, isHeadless = false } = {},
): Promise<void> {
  await useBackend('cpu')
  const model = isHeadless
    ? new ViTModel(config, { seed, addPoolingLayer: true })
    : new ViTForImageClassification({ ...config, numLabels }, { seed })
  await new ViTImageProcessor({ size: { height: 16, width: 16 } }).savePretrained(folder)
  await model.savePretrained(folder)
  model.dispose()
}

const folders: string[] = []

/** A folder that `removeFolders` removes, with a tiny model in it. */
export async function tinyModel(options: Parameters<typeof saveTinyModel>[1] = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-model-'))
  folders.push(folder)
  await saveTinyModel(folder, options)
  return folder
}

export const removeFolders = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** What the model of the folder gives for each image, computed here. */
export async function logitsOf(folder: string, images: readonly Float32Array[]): Promise<number[][]> {
  const { tensor4d } = await import('@tensorflow/tfjs-core')
  const model = await ViTForImageClassification.fromPretrained(folder)
  const results = images.map(async pixelValues => {
    const input = tensor4d(pixelValues, [1, 3, 16, 16])
    const { logits } = model.forward(input)
    const values = [...((await logits.data()) as Float32Array)]
    for (const tensor of [input, logits]) tensor.dispose()
    return values
  })
  const logits = await Promise.all(results)
  model.dispose()
  return logits
}

/** An input unlike those of other numbers. */
export const pixelsOf = (number: number): Float32Array =>
  Float32Array.from({ length: PIXELS }, (_, i) => Math.sin(number * 12.9898 + i))
