/** evaluation.json: all that the evaluation of a run's best model found, for its report and for other programs. */
import { existsSync } from 'node:fs'
import { writeFileAside } from '@vitral/core'
import { encodePicture } from '@vitral/datasets'
import type { Evaluation } from '../evaluate.ts'
import { readJsonFile } from '../json-file.ts'
import type { ExampleImage, ExampleImages } from './example-images.ts'

export interface ReportedImage extends Omit<ExampleImage, 'pixelValues' | 'shape'> {
  width: number
  height: number
  /** A data: URI. */
  picture: string
}

export interface ReportedEvaluation {
  /** Of the best model, 1 for the first. */
  epoch: number
  /** Which images: those that chose the model, or those that did not. */
  images: 'held-out' | 'test'
  evaluation: Evaluation
  mistakes: ReportedImage[]
  hits: ReportedImage[]
}

export interface Normalization {
  imageMean: readonly number[]
  imageStd: readonly number[]
}

/** Writes it aside and renames it. */
export async function writeEvaluation(
  path: string,
  { examples, ...rest }: Omit<ReportedEvaluation, 'mistakes' | 'hits'> & { examples: ExampleImages },
  normalization: Normalization,
): Promise<void> {
  const draw = (images: readonly ExampleImage[]) => Promise.all(images.map(image => reported(image, normalization)))
  const [mistakes, hits] = await Promise.all([draw(examples.mistakes), draw(examples.hits)])
  const written: ReportedEvaluation = { ...rest, mistakes, hits }
  await writeFileAside(path, `${JSON.stringify(written)}\n`)
}

/** Nothing when there is no such file. */
export const readEvaluation = (path: string): ReportedEvaluation | undefined =>
  existsSync(path)
    ? readJsonFile<ReportedEvaluation>(path, ({ evaluation }) => typeof evaluation === 'object')
    : undefined

async function reported(image: ExampleImage, normalization: Normalization): Promise<ReportedImage> {
  const { pixelValues, shape, ...rest } = image
  const [channels, height, width] = shape
  const data = toBytes(pixelValues, shape, normalization)
  const { bytes, mimeType } = await encodePicture({ data, width, height, channels }, { maxSide: 160 })
  return { ...rest, width, height, picture: `data:${mimeType};base64,${Buffer.from(bytes).toString('base64')}` }
}

/** Undoes the normalization: [c, h, w] floats to [h, w, c] bytes. */
function toBytes(
  pixelValues: Float32Array,
  [channels, height, width]: ExampleImage['shape'],
  { imageMean, imageStd }: Normalization,
): Uint8Array {
  const bytes = new Uint8ClampedArray(pixelValues.length)
  const plane = height * width
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++)
      bytes[i * channels + c] =
        255 * ((pixelValues[c * plane + i] as number) * (imageStd[c] ?? 1) + (imageMean[c] ?? 0))
  return new Uint8Array(bytes.buffer)
}
