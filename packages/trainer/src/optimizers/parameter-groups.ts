/** Which parameters an optimizer treats in a way of their own: less weight decay, smaller learning rates. */
import type { Variable } from '@tensorflow/tfjs-core'
import { type Fields, number, resolveFields, trueOrFalse } from '../recipe/kinds.ts'
import type { GroupOptions } from '../recipe/types.ts'

/** How an optimizer treats one parameter. */
export interface ParameterSettings {
  /** Factor of the optimizer's learning rate. @default 1 */
  lrScale?: number
  /** In place of the optimizer's. */
  weightDecay?: number
}

/** The settings of each parameter, by its HF name: torch's param_groups as a function. */
export type ParameterGroups = (name: string, parameter: Variable) => ParameterSettings

/** Options of parameterGroups. */
export const groupFields: Fields<GroupOptions> = {
  noDecay: trueOrFalse
    .default(false)
    .describe('No weight decay on biases, norms, learned tokens and positions, as in timm and DeiT.'),
  layerDecay: number('a number above 0 and at most 1', { above: 0, most: 1 })
    .default(1)
    .describe(
      "Factor by which the learning rate shrinks from each layer to the one before: the classifier's is whole, the embeddings' is layerDecay ** (layers + 1). BEiT's and MAE's, for fine-tuning; about 0.65 to 0.75.",
    ),
}

/**
 * The settings of each parameter of a ViT: timm's weight decay, BEiT's layer-wise learning rates.
 *
 * @param numHiddenLayers of the model
 * @throws when layerDecay is not a number above 0 and at most 1
 * @example
 * const groups = parameterGroups(model.config.numHiddenLayers, { noDecay: true, layerDecay: 0.75 })
 * createOptimizer('adamw', model.parameters(), { lr: 1e-3, weightDecay: 0.05, groups })
 */
export function parameterGroups(numHiddenLayers: number, options: GroupOptions): ParameterGroups {
  const { noDecay, layerDecay } = resolveFields('parameterGroups: ', groupFields, options)
  return (name, parameter) => ({
    lrScale: layerDecay ** (numHiddenLayers + 1 - layerOf(name, numHiddenLayers)),
    ...(noDecay && isUndecayed(name, parameter) && { weightDecay: 0 }),
  })
}

const isUndecayed = (name: string, { rank }: Variable): boolean =>
  rank <= 1 || /(_token|_tokens|position_embeddings|position_bias_table|head\.probe)$/.test(name)

/** 0 for the embeddings, 1 for the first layer, numHiddenLayers + 1 for what follows the last. */
function layerOf(name: string, numHiddenLayers: number): number {
  if (/(^|\.)embeddings\./.test(name)) return 0
  const layer = /(^|\.)encoder\.layer\.(\d+)\./.exec(name)?.[2]
  return layer === undefined ? numHiddenLayers + 1 : Number(layer) + 1
}
