/** evaluation.json: all that the evaluation of a run's best model found, for its report and for other programs. */
import { disk, writeFileAtomic } from '@vitral/core/files'
import type { RawImage } from '@vitral/datasets'
import { encodePicture } from '@vitral/datasets/inspect'
import { toBase64 } from '../base64.ts'
import { shadeByAttention } from '../evaluation/attention-maps.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import type { ExampleImage, ExampleImages } from '../evaluation/example-images.ts'
import { readJsonFile } from '../json-file.ts'

/** An image of the report. */
export interface ReportedImage extends Omit<ExampleImage, 'pixelValues' | 'shape' | 'attention'> {
  /** What its data set calls it, such as the path of its file. */
  name?: string
  /** Pixels. */
  width: number
  /** Pixels. */
  height: number
  /** A data: URI. */
  picture: string
  /** Likewise, the image with each place as bright as the model drew on it. */
  attention?: string
}

/** What evaluation.json holds. */
export interface ReportedEvaluation {
  /** Epoch of the best model, 1 for the first. */
  epoch: number
  /** Which images: those that chose the model, or those that did not. */
  images: 'validation' | 'test'
  /** The metrics. */
  evaluation: Evaluation
  /** The surest mistakes. */
  mistakes: ReportedImage[]
  /** The surest hits. */
  hits: ReportedImage[]
}

export interface Normalization {
  imageMean: readonly number[]
  imageStd: readonly number[]
}

interface WrittenEvaluation extends Omit<ReportedEvaluation, 'mistakes' | 'hits'> {
  examples: ExampleImages
  /** What the data set calls an image. */
  nameOf?: (index: number) => string | undefined
}

/** Writes it aside and renames it. */
export async function writeEvaluation(
  path: string,
  { examples, nameOf, ...rest }: WrittenEvaluation,
  normalization: Normalization,
): Promise<void> {
  const draw = (images: readonly ExampleImage[]) =>
    Promise.all(images.map(image => reported(image, normalization, nameOf)))
  const [mistakes, hits] = await Promise.all([draw(examples.mistakes), draw(examples.hits)])
  const written: ReportedEvaluation = { ...rest, mistakes, hits }
  await writeFileAtomic(path, `${JSON.stringify(written)}\n`)
}

/** Nothing when there is no such file. */
export const readEvaluation = async (path: string): Promise<ReportedEvaluation | undefined> =>
  (await disk.exists(path))
    ? readJsonFile<ReportedEvaluation>(path, ({ evaluation }) => typeof evaluation === 'object')
    : undefined

async function reported(
  image: ExampleImage,
  normalization: Normalization,
  nameOf: WrittenEvaluation['nameOf'],
): Promise<ReportedImage> {
  const { pixelValues, shape, attention, ...rest } = image
  const [channels, height, width] = shape
  const data = toBytes(pixelValues, shape, normalization)
  const whole = { data, width, height, channels: shownChannels(channels) }
  const name = rest.index === undefined ? undefined : nameOf?.(rest.index)
  return {
    ...rest,
    ...(name !== undefined && { name }),
    ...{ width, height, picture: await dataUri(whole) },
    ...(attention && { attention: await dataUri({ ...whole, data: shadeByAttention(whole, attention) }) }),
  }
}

async function dataUri(image: RawImage): Promise<string> {
  const { bytes, mimeType } = await encodePicture(image, { maxSide: 160 })
  return `data:${mimeType};base64,${toBase64(bytes)}`
}

/** Images of other than one or three channels have no colours to show: their first channel is shown. */
const shownChannels = (channels: number): number => (channels === 3 ? 3 : 1)

/** Undoes the normalization: [c, h, w] floats to [h, w, c] bytes, of the channels that are shown. */
function toBytes(
  pixelValues: Float32Array,
  [channels, height, width]: ExampleImage['shape'],
  { imageMean, imageStd }: Normalization,
): Uint8Array {
  const plane = height * width
  const shown = shownChannels(channels)
  const bytes = new Uint8ClampedArray(plane * shown)
  for (let c = 0; c < shown; c++)
    for (let i = 0; i < plane; i++)
      bytes[i * shown + c] = 255 * ((pixelValues[c * plane + i] as number) * (imageStd[c] ?? 1) + (imageMean[c] ?? 0))
  return new Uint8Array(bytes.buffer)
}
