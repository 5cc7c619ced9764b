/** A linear layer whose result is scaled by a factor for each column, as one linear layer. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { scaleRows } from '../ops/index.ts'
import type { ParameterScope } from './parameter-scope.ts'

/**
 * Weight and bias of the layer, with the layer scale in them where there is one: then new tensors, within the caller's
 * tidy. The kernels of plain layers compute with them, and the gradients of factors and weights come from theirs.
 */
export function scaledDense(
  dense: ParameterScope,
  layerScale: ParameterScope | undefined,
): { weight: Tensor2D; bias: Tensor1D } {
  const [weight, bias] = [dense.matrix('weight'), dense.vector('bias')]
  if (!layerScale) return { weight, bias }
  const factors = layerScale.vector('lambda1')
  return { weight: scaleRows(weight, factors), bias: scaleRows(bias, factors) }
}
