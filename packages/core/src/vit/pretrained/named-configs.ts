/** Configurations by name: the papers' sizes with their usual patches, and small ones for 32×32 images. */
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'

/** Width, depth and heads. The MLP is four times as wide (Dosovitskiy et al. 2020; tiny and small: Touvron et al. 2021). */
const sizes = {
  micro: { hiddenSize: 128, numHiddenLayers: 6, numAttentionHeads: 4 },
  tiny: { hiddenSize: 192, numHiddenLayers: 12, numAttentionHeads: 3 },
  small: { hiddenSize: 384, numHiddenLayers: 12, numAttentionHeads: 6 },
  base: { hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12 },
  large: { hiddenSize: 1024, numHiddenLayers: 24, numAttentionHeads: 16 },
  huge: { hiddenSize: 1280, numHiddenLayers: 32, numAttentionHeads: 16 },
}

type SizeName = keyof typeof sizes

/** The patch sizes that go with an image size, for the models it is usual for. */
const shapes: { imageSize: number; patchSizes: number[]; models: SizeName[] }[] = [
  { imageSize: 32, patchSizes: [2, 4, 8], models: ['micro', 'tiny', 'small'] },
  { imageSize: 224, patchSizes: [8, 16, 32], models: ['tiny', 'small', 'base', 'large'] },
  { imageSize: 384, patchSizes: [8, 16, 32], models: ['tiny', 'small', 'base', 'large'] },
  { imageSize: 224, patchSizes: [14], models: ['large', 'huge'] },
]

const configs: ReadonlyMap<string, ViTConfigOptions> = new Map(
  shapes.flatMap(({ imageSize, patchSizes, models }) =>
    models.flatMap(model =>
      patchSizes.map((patchSize): [string, ViTConfigOptions] => [
        `vit-${model}-patch${patchSize}-${imageSize}`,
        { ...sizes[model], mlpRatio: 4, imageSize, patchSize },
      ]),
    ),
  ),
)

/** Names that `namedConfig` knows. */
export const configNames: readonly string[] = [...configs.keys()]

/**
 * A configuration by name.
 *
 * @param name `vit-{micro,tiny,small,base,large,huge}-patch{size}-{image}`
 * @param overrides fields to set otherwise
 * @throws when there is none of that name, with the names there are
 * @example
 * namedConfig('vit-tiny-patch4-32', { numLabels: 10 })
 */
export function namedConfig(name: string, overrides: ViTConfigOptions = {}): ViTConfig {
  const config = configs.get(name)
  if (!config) throw new Error(`There is no configuration '${name}'; there are ${configNames.join(', ')}.`)
  return resolveConfig({ ...config, ...overrides })
}
