/** Loads a model folder: weights, precision, warm-up, and the description that the server publishes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Tensor, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import {
  AutoModelForImageClassification,
  attentionRollout,
  autocast,
  noGrad,
  useBackend,
  type ViTForImageClassification,
  ViTImageProcessor,
} from '@vitral/core'
import { firstNonFinite } from '@vitral/core/finite'
import { geometryOf } from '@vitral/core/image'
import { elementsOf } from '@vitral/core/sizes'
import { patchGrid, rolloutOptions } from '@vitral/core/vit'
import type { EngineOutput } from '../../engine.ts'
import type { PreparedInput } from '../model-calls.ts'
import type { LoadedDescription, ModelSettings } from '../protocol.ts'
import { describeModel, headOf, inputSize } from './describe-model.ts'

/** A model that is ready to compute. */
export interface LoadedModel {
  description: LoadedDescription
  /**
   * Computes a batch.
   *
   * @param inputs either all bytes, or all values
   * @returns one output for each input, in order
   */
  compute(inputs: readonly PreparedInput[], wanted: { features: boolean; attention: boolean }): Promise<EngineOutput[]>
}

/** @throws when the folder cannot be read, its files contradict each other, or the model gives non-finite values */
export async function loadModel({
  folder,
  backend,
  precision,
  threads,
  maxBatchSize,
}: ModelSettings): Promise<LoadedModel> {
  const { name } = await useBackend(backend, { threads })
  let unknownFields: string[] | undefined
  const onUnknownFields = (names: string[]): void => {
    unknownFields = names.slice(0, 100)
  }
  const [model, processor, version] = await Promise.all([
    headOf(folder).then(head => AutoModelForImageClassification.fromPretrained(folder, { ...head, onUnknownFields })),
    ViTImageProcessor.fromPretrained(folder),
    hashFolder(folder),
  ])
  const description = describeModel(model.config, geometryOf(processor.config), { backend: name, precision, version })
  const loaded = { description, compute: computeWith(model, processor, precision) }
  await warmUp(loaded, maxBatchSize)
  return { ...loaded, description: { ...description, memory: process.memoryUsage.rss(), unknownFields } }
}

function computeWith(
  model: ViTForImageClassification,
  processor: ViTImageProcessor,
  precision: ModelSettings['precision'],
): LoadedModel['compute'] {
  const [height, width] = inputSize(model.config, geometryOf(processor.config))
  const classifies = model.config.numLabels > 0
  const grid = patchGrid([height, width], model.config.patchSize)
  const normalizer = new ViTImageProcessor({ ...processor.config, doResize: false, doCenterCrop: false })
  const channels = model.config.numChannels
  const shape = [channels, height, width] as const
  const size = elementsOf(shape)
  /** [B, channels, height, width] */
  const toTensor = async (inputs: readonly PreparedInput[]): Promise<Tensor4D> => {
    const images = inputs.flatMap(input => ('pixels' in input ? { data: input.pixels, width, height, channels } : []))
    if (images.length > 0) return await normalizer.preprocess(images)
    const values = new Float32Array(inputs.length * size)
    for (const [i, input] of inputs.entries()) if ('pixelValues' in input) values.set(input.pixelValues, i * size)
    return tensor4d(values, [inputs.length, ...shape])
  }

  return async (inputs, { features, attention }) => {
    const pixelValues = await toTensor(inputs)
    const options = { outputFeatures: features && classifies, outputAttentions: attention }
    const forward = (): Tensor[] => {
      const output = model.forward(pixelValues, options)
      const rollout = output.attentions && attentionRollout(output.attentions, grid, rolloutOptions(model.config))
      return [output.logits, output.features, rollout].filter(tensor => tensor !== undefined)
    }
    let rows: Float32Array[][]
    try {
      const computed = autocast({ dtype: precision }, () => noGrad(forward))
      rows = await Promise.all(computed.map(rowsOf))
    } finally {
      pixelValues.dispose()
    }
    return inputs.map((_, i) => {
      // A model without a classifier returns the classifier's input in place of logits.
      const [logits, ...rest] = rows.map(values => values[i] as Float32Array)
      if (!classifies) rest.unshift(logits as Float32Array)
      const values = attention ? rest.pop() : undefined
      return {
        ...(classifies && { logits: logits as Float32Array }),
        ...(features && { features: rest[0] as Float32Array }),
        ...(values && { attention: { height: grid[0], width: grid[1], values } }),
      }
    })
  }
}

/** Splits a batch into one array for each image, and disposes of the tensor. */
async function rowsOf(tensor: Tensor): Promise<Float32Array[]> {
  const values = (await tensor.data()) as Float32Array
  tensor.dispose()
  const batch = tensor.shape[0] as number
  const size = values.length / batch
  return Array.from({ length: batch }, (_, i) => values.slice(i * size, (i + 1) * size))
}

/** Longest warm-up with a full batch, in milliseconds; one that would take longer is skipped. */
const LONGEST_WARM_UP = 5000

/**
 * Warms the model up: the first pass is slow, as it sets up kernels and memory, and the first full batch allocates more than
 * a smaller one. It also finds a model that gives non-finite values.
 */
async function warmUp(model: LoadedModel, maxBatchSize: number): Promise<void> {
  const started = performance.now()
  if (!(await computesNumbers(model)))
    throw new Error('The model gives non-finite values (NaN or Inf); its weights are damaged.')
  if ((performance.now() - started) * maxBatchSize < LONGEST_WARM_UP)
    await model.compute(Array(maxBatchSize).fill(ownInput(model)), { features: false, attention: false })
}

/** Whether the model gives finite values for a known good input, which no client chose. */
export async function computesNumbers(model: LoadedModel): Promise<boolean> {
  const [output] = await model.compute([ownInput(model)], { features: true, attention: false })
  return [output?.logits, output?.features].every(values => !values || firstNonFinite(values) < 0)
}

/** A known good input: zeros, the mean of normalized images. */
const ownInput = ({ description: { imageSize, numChannels } }: LoadedModel): PreparedInput => ({
  pixelValues: new Float32Array(numChannels * imageSize[0] * imageSize[1]),
})

/** The model's version: the first 16 hexadecimal digits of the SHA-256 of its files. */
async function hashFolder(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter(file => /\.(json|safetensors|bin|npz)$/.test(file)).sort()
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(`${file}\n`)
    for await (const chunk of createReadStream(join(folder, file), { highWaterMark: 2 ** 20 })) hash.update(chunk)
  }
  return hash.digest('hex').slice(0, 16)
}
