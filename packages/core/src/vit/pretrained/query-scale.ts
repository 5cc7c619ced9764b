/**
 * A factor of the attention scores other than 1 / √d, as a factor of the query's weights: transformers' ViT has no field for
 * it, so that what is saved carries it in the weights, and computes the same there.
 */
import { mul, type Tensor } from '@tensorflow/tfjs-core'
import { attentionScale, type ViTConfig } from '../config.ts'

/** Factor of a saved query: 1 where the model has no scale of its own. */
export function queryFactor(config: ViTConfig): number {
  return config.qkScale === null ? 1 : config.qkScale / attentionScale({ ...config, qkScale: null })
}

/** Whether a parameter makes the queries: their weight and bias, and of an adapter B alone, whose product with A is added to the weight. */
export const makesQueries = (name: string): boolean => /\.attention\.query\.(weight|bias|lora_B\.weight)$/.test(name)

/** The parameter times the factor, in float32; itself where there is nothing to multiply. */
export function scaledQuery(name: string, values: Tensor, factor: number): Tensor {
  return factor === 1 || !makesQueries(name) ? values : mul(values, factor)
}
