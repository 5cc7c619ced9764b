/** A small model with PyTorch's outputs, from core's fixtures. */
import { join } from 'node:path'
import { useBackend, type ViTConfig, ViTForImageClassification } from '@vitral/core'
import { readSafetensors, toFloat32 } from '@vitral/core/files'

export interface Fixture {
  modelFolder: string
  config: ViTConfig
  /** [batch, c, h, w] */
  pixelValues: FixtureTensor
  /** [batch, numLabels] */
  logits: FixtureTensor
}

export interface FixtureTensor {
  shape: number[]
  data: Float32Array
}

export async function fixture(name: 'square' | 'rect'): Promise<Fixture> {
  const folder = join(import.meta.dirname, '../../packages/core/test/fixtures', name)
  const { tensors } = await readSafetensors(join(folder, 'io.safetensors'))
  const read = (key: string): FixtureTensor => {
    const tensor = tensors.get(key)
    if (!tensor) throw new Error(`The fixture ${name} has no tensor '${key}'.`)
    return { shape: tensor.shape, data: toFloat32(tensor) }
  }
  const modelFolder = join(folder, 'model')
  await useBackend('cpu')
  const model = await ViTForImageClassification.fromPretrained(modelFolder)
  const { config } = model
  model.dispose()
  return { modelFolder, config, pixelValues: read('pixel_values'), logits: read('logits') }
}
