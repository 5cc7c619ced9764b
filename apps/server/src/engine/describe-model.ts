/** What is told of a model, by the two JSON files of its folder. */
import type { ImageProcessorConfig, Size, ViTConfig } from '@vitral/core'
import { scoringOf } from '@vitral/core/scores'
import type { LoadedDescription, ModelSettings } from './model-calls.ts'

/** @throws when the files do not fit together */
export function describeModel(
  config: ViTConfig,
  { doResize, size, resample }: ImageProcessorConfig,
  rest: Pick<LoadedDescription, 'backend' | 'precision' | 'version'>,
): LoadedDescription {
  const imageSize = heightAndWidth(config.imageSize)
  if (doResize && `${imageSize}` !== `${[size.height, size.width]}`)
    throw new Error(
      `preprocessor_config.json makes images of ${size.height}×${size.width}, but the model of config.json takes ${imageSize.join('×')}.`,
    )
  return {
    ...rest,
    labels: Array.from({ length: config.numLabels }, (_, i) => config.id2label[i] ?? `LABEL_${i}`),
    imageSize,
    numChannels: config.numChannels,
    hiddenSize: config.hiddenSize,
    scoring: scoringOf(config),
    resize: doResize ? { size: [size.height, size.width], interpolation: resample } : undefined,
    memory: 0,
  }
}

/**
 * Of a model that is not loaded; its weights are not read.
 *
 * @returns undefined where the files cannot be read: whoever loads the folder says why
 */
export async function describeFolder({
  folder,
  backend,
  precision,
}: Pick<ModelSettings, 'folder' | 'backend' | 'precision'>): Promise<LoadedDescription | undefined> {
  try {
    const { readModelConfig, ViTImageProcessor } = await import('@vitral/core')
    const [config, processor] = await Promise.all([readModelConfig(folder), ViTImageProcessor.fromPretrained(folder)])
    return describeModel(config, processor.config, { backend, precision, version: '' })
  } catch {
    return undefined
  }
}

export const heightAndWidth = (size: Size): [height: number, width: number] =>
  typeof size === 'number' ? [size, size] : [size[0], size[1]]
