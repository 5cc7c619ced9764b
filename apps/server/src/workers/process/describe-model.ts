/** Describes a model by the two JSON files of its folder. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Size, type ViTConfig, ViTImageProcessor } from '@vitral/core'
import { describesClassifier, readModelConfig } from '@vitral/core/files'
import { fittedSize, geometryOf, type ImageGeometry } from '@vitral/core/image'
import { scoringOf } from '@vitral/core/scores'
import { featureSize } from '@vitral/core/vit'
import type { LoadedDescription, ModelSettings } from '../protocol.ts'

/** Limits on a model's classes and on the characters of all their names, which every list of the models contains. */
const mostLabels = 100_000
const mostCharacters = 2 ** 22

/** @throws when the processor's size or channels are not the model's, or there are too many classes */
export function describeModel(
  config: ViTConfig,
  geometry: ImageGeometry,
  rest: Pick<LoadedDescription, 'backend' | 'precision' | 'version'>,
): LoadedDescription {
  const imageSize = inputSize(config, geometry)
  const size = fittedSize(geometry) ?? imageSize
  if (`${imageSize}` !== `${size}`)
    throw new Error(
      `preprocessor_config.json makes images of ${size.join('×')}, but the model of config.json takes ${imageSize.join('×')}.`,
    )
  if (geometry.channels !== config.numChannels)
    throw new Error(
      `preprocessor_config.json has mean and deviation of ${geometry.channels} channels, but the model of config.json takes ${config.numChannels}.`,
    )
  return {
    ...rest,
    classifies: config.numLabels > 0,
    labels: labelsOf(config),
    imageSize,
    numChannels: config.numChannels,
    featureSize: featureSize(config),
    scoring: scoringOf(config),
    geometry,
    memory: 0,
  }
}

/**
 * Describes a model without reading its weights.
 *
 * @throws when the files cannot be read
 */
export async function describeFolder({
  folder,
  backend,
  precision,
}: Pick<ModelSettings, 'folder' | 'backend' | 'precision'>): Promise<LoadedDescription> {
  const [config, processor, options] = await Promise.all([
    readModelConfig(folder),
    ViTImageProcessor.fromPretrained(folder),
    headOf(folder),
  ])
  return describeModel({ ...config, ...options }, geometryOf(processor.config), { backend, precision, version: '' })
}

/** Options for loading a model: a folder without a classifier is loaded without one, instead of with a newly initialized one. */
export async function headOf(folder: string): Promise<{ numLabels?: number }> {
  // A file that is missing or malformed is reported by readModelConfig.
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}')
  return describesClassifier(parsed(text)) ? {} : { numLabels: 0 }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function labelsOf({ numLabels, id2label }: ViTConfig): string[] {
  if (numLabels > mostLabels) throw new Error(`config.json has ${numLabels} classes; at most ${mostLabels} are served.`)
  const labels = Array.from({ length: numLabels }, (_, i) => id2label[i] ?? `LABEL_${i}`)
  const characters = labels.reduce((sum, label) => sum + label.length, 0)
  if (characters > mostCharacters)
    throw new Error(
      `The classes' names in config.json have ${characters} characters; at most ${mostCharacters} are served.`,
    )
  return labels
}

/** Size of the images that a model gets: its own, or, where it takes any, that of its processor. */
export const inputSize = ({ imageSize, anyImageSize }: ViTConfig, geometry: ImageGeometry): [number, number] =>
  heightAndWidth((anyImageSize && fittedSize(geometry)) || imageSize)

const heightAndWidth = (size: Size): [height: number, width: number] =>
  typeof size === 'number' ? [size, size] : [size[0], size[1]]
