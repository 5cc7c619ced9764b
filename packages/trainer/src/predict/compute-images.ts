/** Images in batches through a model, one answer for each: a broken image is its own error, and nobody else's. */
import { type Tensor2D, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { noGrad, type ViTImageProcessor } from '@vitral/core'
import { firstNonFinite } from '@vitral/core/finite'
import { type Batch, createLoader, type Dataset, decodeImage, SkippedExample } from '@vitral/datasets'
import { transformsOf } from '../data/processor.ts'
import type { ImageInput } from './find-images.ts'

export interface ImageOutput {
  image: string
  /** The model's, all finite; absent where there is an error. */
  values?: Float32Array
  /** Why there are none, in a sentence that names the image. */
  error?: string
}

export interface ComputeImagesOptions {
  /** [B, c, h, w] → [B, K]: logits, or features. */
  forward: (pixels: Tensor4D) => Tensor2D
  processor: ViTImageProcessor
  /** Images at a time. */
  batchSize: number
  /** See decodeImage. */
  maxPixels?: number
}

/**
 * The model's outputs for images, in their order.
 *
 * @throws what is no image's fault: an error of the backend
 */
export async function* computeImages(
  inputs: readonly ImageInput[],
  { forward, processor, batchSize, maxPixels }: ComputeImagesOptions,
): AsyncGenerator<ImageOutput, void, undefined> {
  const dataset = decodedImages(inputs, processor, maxPixels)
  const loader = createLoader(dataset, { transforms: transformsOf(processor), batchSize, reuseMemory: true })
  for await (const batch of loader.batches()) {
    const rows = await rowsOf(batch, forward)
    const computed = rows.map((values, row) => outputOf(inputs[batch.indices[row] as number] as ImageInput, values))
    const broken = batch.skipped.map(({ index, reason }) => ({ image: inputs[index]?.name as string, error: reason }))
    yield* inOrder(batch, computed, broken)
  }
}

/** A batch has the images that were decoded, and beside them those that were not. */
function* inOrder(
  { indices, skipped }: Batch,
  computed: readonly ImageOutput[],
  broken: readonly ImageOutput[],
): Generator<ImageOutput, void, undefined> {
  for (let i = 0, j = 0; i < computed.length || j < broken.length; ) {
    const isBroken = (skipped[j]?.index ?? Number.POSITIVE_INFINITY) < (indices[i] ?? Number.POSITIVE_INFINITY)
    yield (isBroken ? broken[j++] : computed[i++]) as ImageOutput
  }
}

/** Whatever goes wrong with a file, be it broken or not to be read, leaves out that file alone. */
function decodedImages(
  inputs: readonly ImageInput[],
  { config }: ViTImageProcessor,
  maxPixels: number | undefined,
): Dataset {
  const { doResize, doCenterCrop, size } = config
  const expected = doResize || doCenterCrop || 'shortestEdge' in size ? undefined : size
  return {
    length: inputs.length,
    classes: [],
    async get(index) {
      const { name, source } = inputs[index] as ImageInput
      try {
        const image = await decodeImage(source, { maxPixels })
        if (expected && (image.width !== expected.width || image.height !== expected.height))
          throw new Error(
            `${name} has ${image.width}×${image.height} pixels; expected ${expected.width}×${expected.height}, since the model's processor does not resize.`,
          )
        return { image, label: 0 }
      } catch (error) {
        const { message } = error as Error
        throw new SkippedExample(typeof source === 'string' ? message : `${name}: ${message}`, { cause: error })
      }
    },
    nameOf: index => inputs[index]?.name ?? `image ${index}`,
  }
}

/** The outputs of a batch's images; of a batch without any image none. */
async function rowsOf({ pixelValues }: Batch, forward: ComputeImagesOptions['forward']): Promise<Float32Array[]> {
  const count = pixelValues.shape[0]
  if (count === 0) return []
  const pixels = tensor4d(pixelValues.data, pixelValues.shape)
  const output = noGrad(() => forward(pixels))
  try {
    const values = (await output.data()) as Float32Array
    const size = values.length / count
    return Array.from({ length: count }, (_, row) => values.slice(row * size, (row + 1) * size))
  } finally {
    pixels.dispose()
    output.dispose()
  }
}

function outputOf({ name }: ImageInput, values: Float32Array): ImageOutput {
  const wrong = firstNonFinite(values)
  if (wrong < 0) return { image: name, values }
  return {
    image: name,
    error: `${name}: the model computes ${values[wrong]}; expected finite numbers. The weights are damaged, or the image overflows them.`,
  }
}
