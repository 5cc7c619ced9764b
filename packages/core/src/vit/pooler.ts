/** Activations of a ViTModel's pooler, by the names of `pooler_act` in transformers. */
import { relu, type Tensor2D, tanh } from '@tensorflow/tfjs-core'
import { describeValue } from '../files/fields.ts'
import { gelu } from '../ops/index.ts'

const poolerActivations: Readonly<Record<string, (x: Tensor2D) => Tensor2D>> = { tanh, relu, gelu, gelu_python: gelu }

/**
 * The function that `poolerAct` names.
 *
 * @throws when Vitral does not have it
 */
export function poolerActivation(poolerAct: string = 'tanh'): (x: Tensor2D) => Tensor2D {
  const activation = Object.hasOwn(poolerActivations, poolerAct) && poolerActivations[poolerAct]
  if (!activation)
    throw new Error(
      `poolerAct is ${describeValue(poolerAct)}; expected one of ${Object.keys(poolerActivations).join(', ')}.`,
    )
  return activation
}
