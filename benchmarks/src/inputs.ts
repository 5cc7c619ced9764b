/** The same model and the same images for every contestant, made from seeds into a folder of their own. */
import { join } from 'node:path'
import { tensor, type Variable } from '@tensorflow/tfjs-core'
import { useBackend, type ViTConfig, ViTForImageClassification } from '@vitral/core'
import { readSafetensors, toFloat32, writeFileAtomic, writeSafetensors } from '@vitral/core/files'
import { normalStream } from '@vitral/core/tape'
import { type ExportOptions, exportViT, type Weights } from './onnx/vit.ts'
import type { ContestantOptions } from './protocol.ts'

/** Writes the model as Hugging Face's folder and as ONNX files; says where. */
export async function writeModel(
  folder: string,
  config: ViTConfig,
  { int8 = false }: ExportOptions = {},
): Promise<Pick<ContestantOptions, 'modelFolder' | 'onnxFile' | 'int8OnnxFile'>> {
  const modelFolder = join(folder, 'model')
  const onnxFile = join(folder, 'model.onnx')
  const int8OnnxFile = join(folder, 'model-int8.onnx')
  await useBackend('cpu')
  const model = new ViTForImageClassification(config, { seed: 1 })
  for (const [i, parameter] of [...model.parameters().values()].entries())
    if (parameter.rank === 1) perturb(parameter, i)
  await model.savePretrained(modelFolder)
  model.dispose()
  await writeFileAtomic(onnxFile, await exportFolder(modelFolder, config))
  if (int8) await writeFileAtomic(int8OnnxFile, await exportFolder(modelFolder, config, { int8: true }))
  return { modelFolder, onnxFile, int8OnnxFile }
}

/** The ONNX file of a model folder. */
export async function exportFolder(
  modelFolder: string,
  config: ViTConfig,
  options: ExportOptions = {},
): Promise<Uint8Array[]> {
  const { tensors } = await readSafetensors(join(modelFolder, 'model.safetensors'))
  const weights: Weights = name => {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`${modelFolder} has no tensor '${name}'; a classifier's folder was expected.`)
    return { shape: tensor.shape, data: toFloat32(tensor) }
  }
  return exportViT(config, weights, options)
}

/** Writes a batch of normally distributed pixels with labels; says where. */
export async function writeInputs(folder: string, config: ViTConfig, batchSize: number): Promise<string> {
  const [height, width] = typeof config.imageSize === 'number' ? [config.imageSize, config.imageSize] : config.imageSize
  const shape = [batchSize, config.numChannels, height, width]
  const next = normalStream(2)
  const pixels = Float32Array.from({ length: shape.reduce((product, size) => product * size) }, next)
  const labels = Int32Array.from({ length: batchSize }, (_, i) => (7 * i) % config.numLabels)
  const path = join(folder, `inputs-${batchSize}.safetensors`)
  await writeSafetensors(
    path,
    new Map([
      ['pixel_values', { dtype: 'F32', shape, data: pixels }],
      ['labels', { dtype: 'I32', shape: [batchSize], data: labels }],
    ]),
  )
  return path
}

/** Fresh biases are zero and norms one: a contestant that loses one would not be found out. */
function perturb(parameter: Variable, seed: number): void {
  const next = normalStream(seed)
  const values = Float32Array.from(parameter.dataSync(), value => value + 0.05 * next())
  const perturbed = tensor(values, parameter.shape)
  parameter.assign(perturbed)
  perturbed.dispose()
}
