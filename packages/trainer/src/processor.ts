/**
 * The two ways to say how images are prepared for evaluation: a chain of transforms, and `preprocessor_config.json`.
 * A model is saved with the second made from the first, so that whoever opens it sees what the evaluation saw.
 */
import { type ImageProcessorConfig, type Size, ViTImageProcessor } from '@vitral/core'
import { type Transform, transforms } from '@vitral/datasets'

/** What each transform of a chain says about the processor. */
const meanings: Record<string, (args: readonly unknown[]) => Partial<ImageProcessorConfig>> = {
  resize: ([size, options]) => {
    if (!Array.isArray(size))
      throw new Error(`resize(${size}) keeps the image's shape, which a ViTImageProcessor cannot; use [height, width].`)
    const { interpolation = 'bilinear' } = (options ?? {}) as { interpolation?: ImageProcessorConfig['resample'] }
    return { size: { height: size[0], width: size[1] }, resample: interpolation }
  },
  toTensor: () => ({}),
  normalize: ([mean, std]) => ({ imageMean: mean as number[], imageStd: std as number[] }),
}

/**
 * The processor that prepares images as the chain does.
 *
 * @param chain for evaluation
 * @param imageSize of the model; a chain that does not resize is for images that all have it
 * @throws naming a transform that a ViTImageProcessor cannot do, or the size when the model takes another
 */
export function processorOf(chain: readonly Transform[], imageSize: Size): ViTImageProcessor {
  const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : imageSize
  const config: Partial<ImageProcessorConfig> = {
    size: { height, width },
    imageMean: [0, 0, 0],
    imageStd: [1, 1, 1],
  }
  for (const { name, args } of chain) {
    const meaning = meanings[name]
    if (!meaning)
      throw new Error(`A ViTImageProcessor cannot do ${name}; expected a chain of ${Object.keys(meanings).join(', ')}.`)
    Object.assign(config, meaning(args))
  }
  const processor = new ViTImageProcessor(config)
  const { size } = processor.config
  if (size.height !== height || size.width !== width)
    throw new Error(
      `The transforms make images of ${size.height}×${size.width} pixels, but the model's imageSize is ${height}×${width}; choose other transforms or another model.`,
    )
  return processor
}

/** The chain that prepares images as the processor does. */
export function transformsOf({ config }: ViTImageProcessor): Transform[] {
  const { doResize, size, resample, doRescale, rescaleFactor, doNormalize, imageMean, imageStd } = config
  // toTensor divides by 255; another factor is brought into mean and deviation.
  const factor = doRescale ? rescaleFactor * 255 : 255
  const [mean, std] = doNormalize
    ? [imageMean, imageStd]
    : [
        [0, 0, 0],
        [1, 1, 1],
      ]
  return [
    ...(doResize ? [transforms.resize([size.height, size.width], { interpolation: resample })] : []),
    transforms.toTensor(),
    transforms.normalize(
      mean.map(value => value / factor),
      std.map(value => value / factor),
    ),
  ]
}
