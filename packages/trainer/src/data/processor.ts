/**
 * The two ways to say how images are prepared for evaluation: a chain of transforms, and `preprocessor_config.json`.
 * A model is saved with the second made from the first, so that whoever opens it sees what the evaluation saw.
 */

import { type ImageProcessorConfig, type Size, ViTImageProcessor } from '@vitral/core'
import { fittedSize, geometryOf } from '@vitral/core/image'
import { type Transform, transforms } from '@vitral/datasets'

type Meaning = (args: readonly unknown[]) => Partial<ImageProcessorConfig>

/** What each transform of a chain says about the processor, in the order in which a processor does them. */
const meanings: Readonly<Record<string, Meaning>> = {
  grayscale: ([channels = 1]) => {
    if (channels !== 1)
      throw new Error(`grayscale(${channels}) makes equal channels, which an image processor cannot; use grayscale().`)
    return { imageMean: [0], imageStd: [1] }
  },
  resize: ([size, options]) => {
    const { interpolation = 'bilinear', maxSize } = (options ?? {}) as Parameters<typeof transforms.resize>[1] & {}
    if (maxSize !== undefined)
      throw new Error(`resize has maxSize ${maxSize}, which an image processor cannot do; crop instead.`)
    const to = size as number | readonly [number, number]
    return {
      doResize: true,
      size: typeof to === 'number' ? { shortestEdge: to } : { height: to[0], width: to[1] },
      resample: interpolation,
    }
  },
  centerCrop: ([size, options]) => {
    const { rounding = 'even' } = (options ?? {}) as { rounding?: ImageProcessorConfig['cropRounding'] }
    const [height, width] = typeof size === 'number' ? [size, size] : (size as readonly [number, number])
    return { doCenterCrop: true, cropSize: { height, width }, cropRounding: rounding }
  },
  toTensor: () => ({}),
  normalize: ([mean, std]) => ({ imageMean: mean as number[], imageStd: std as number[] }),
}

/**
 * The processor that prepares images as the chain does.
 *
 * @param chain for evaluation
 * @param imageSize of the model; a chain that does not resize is for images that all have it
 * @param numChannels of the model
 * @throws naming a transform that an image processor cannot do, or does not do there, or what the model takes otherwise
 */
export function processorOf(chain: readonly Transform[], imageSize: Size, numChannels: number = 3): ViTImageProcessor {
  const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : imageSize
  const isResized = chain.some(({ name }) => name === 'resize')
  const config: Partial<ImageProcessorConfig> = {
    size: { height, width },
    // A crop has to see the images as they are.
    doResize: isResized || !chain.some(({ name }) => name === 'centerCrop'),
    imageMean: Array(numChannels).fill(0),
    imageStd: Array(numChannels).fill(1),
  }
  const order = Object.keys(meanings)
  let done = -1
  for (const { name, args } of chain) {
    const meaning = meanings[name]
    if (!meaning) throw new Error(`An image processor cannot do ${name}; expected a chain of ${order.join(', ')}.`)
    if (order.indexOf(name) <= done)
      throw new Error(
        `An image processor does ${order.join(', ')}, each once and in this order, and the chain has ${name} after ${order[done]}; order it so.`,
      )
    done = order.indexOf(name)
    Object.assign(config, meaning(args))
  }
  const processor = new ViTImageProcessor(config)
  checkFit(processor, [height, width], numChannels)
  return processor
}

/** @throws when the processor's images are not those that the model takes */
function checkFit({ config }: ViTImageProcessor, [height, width]: readonly [number, number], numChannels: number) {
  const geometry = geometryOf(config)
  const size = fittedSize(geometry)
  if (geometry.resize && !size)
    throw new Error(
      `resize(${geometry.resize.size}) keeps the image's shape, and the model takes ${height}×${width} pixels; add centerCrop, or resize to [height, width].`,
    )
  if (size && (size[0] !== height || size[1] !== width))
    throw new Error(
      `The transforms make images of ${size.join('×')} pixels, but the model's imageSize is ${height}×${width}; choose other transforms or another model.`,
    )
  if (geometry.channels !== numChannels)
    throw new Error(
      `The transforms make images of ${geometry.channels} channels, but the model's numChannels is ${numChannels}; ${numChannels === 1 ? 'begin them with grayscale() and give normalize one mean and deviation' : 'choose other transforms or another model'}.`,
    )
}

/** The chain that prepares images as the processor does. */
export function transformsOf({ config }: ViTImageProcessor): Transform[] {
  const { doRescale, rescaleFactor, doNormalize, imageMean, imageStd } = config
  const { channels, resize, crop } = geometryOf(config)
  // toTensor divides by 255; another factor is brought into mean and deviation.
  const factor = doRescale ? rescaleFactor * 255 : 255
  const mean = doNormalize ? imageMean : imageMean.map(() => 0)
  const std = doNormalize ? imageStd : imageMean.map(() => 1)
  return [
    ...(channels === 1 ? [transforms.grayscale()] : []),
    ...(resize ? [transforms.resize(resize.size, { interpolation: resize.interpolation })] : []),
    ...(crop ? [transforms.centerCrop(crop.size, { rounding: crop.rounding })] : []),
    transforms.toTensor(),
    transforms.normalize(
      mean.map(value => value / factor),
      std.map(value => value / factor),
    ),
  ]
}

/** The processor that makes images so many times as large, for crops of them to have the model's size. */
export function largerBy({ config }: ViTImageProcessor, margin: number): ViTImageProcessor {
  const scaled = <Lengths extends object>(lengths: Lengths): Lengths =>
    Object.fromEntries(Object.entries(lengths).map(([side, length]) => [side, Math.round(length * margin)])) as Lengths
  const { doResize, doCenterCrop, size, cropSize } = config
  if (!doResize && doCenterCrop) return new ViTImageProcessor({ ...config, cropSize: scaled(cropSize) })
  return new ViTImageProcessor({ ...config, doResize: true, size: scaled(size), cropSize: scaled(cropSize) })
}
