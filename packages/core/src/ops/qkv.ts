/** Queries, keys and values in one product. */
import { concat, type Tensor, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'
import { linearReference } from './linear.ts'
import { checkOutputDtype, type OutputDtype, type OutputDtypeOption } from './output-dtype.ts'

/** One for each of query, key and value. */
export type Triple<T> = readonly [query: T, key: T, value: T]

/** Inputs of the projections of self-attention. */
export interface QkvInputs {
  [name: string]: Tensor | undefined
  x: Tensor
  queryWeight: Tensor
  keyWeight: Tensor
  valueWeight: Tensor
  queryBias: Tensor | undefined
  keyBias: Tensor | undefined
  valueBias: Tensor | undefined
}

const op = defineOp<QkvInputs, { outputDtype: OutputDtype }>({
  kernel: 'VitralQkv',
  save: ['x', 'queryWeight', 'keyWeight', 'valueWeight'],
  half: true,
  gradients: ['x', 'queryWeight', 'keyWeight', 'valueWeight', 'queryBias', 'keyBias', 'valueBias'],
  reference: ({ x, queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias }) =>
    concat(
      [
        linearReference(x, queryWeight, queryBias),
        linearReference(x, keyWeight, keyBias),
        linearReference(x, valueWeight, valueBias),
      ],
      -1,
    ),
})

/**
 * The three projections of self-attention, packed along the last axis so that attention reads them without a copy.
 * HF keeps the three weights apart, and so do we. FLOPs 6·B·N·C².
 *
 * @param x [B, N, C]
 * @param weights query, key and value, [C, C] each
 * @param biases [C] each, or none (`qkvBias: false`)
 * @param options the result's format
 * @returns [B, N, 3·C]: queries, then keys, then values
 */
export function qkv(
  x: Tensor3D,
  weights: Triple<Tensor2D>,
  biases?: Triple<Tensor1D>,
  { outputDtype = 'float32' }: OutputDtypeOption = {},
): Tensor3D {
  checkQkv('qkv', x, weights, biases)
  checkOutputDtype('qkv', outputDtype)
  return op(qkvInputs(x, weights, biases), { outputDtype })
}

/** Requires x [B, N, C], weights [C, C] and biases [C]. */
export function checkQkv(name: string, x: Tensor3D, weights: Triple<Tensor2D>, biases?: Triple<Tensor1D>): void {
  checkShape(name, 'x', x, ['batch', 'tokens', 'hiddenSize'])
  const hiddenSize = x.shape[2]
  for (const weight of weights) checkShape(name, 'weights', weight, [hiddenSize, hiddenSize])
  for (const bias of biases ?? []) checkShape(name, 'biases', bias, [hiddenSize])
}

/** The inputs by name. */
export function qkvInputs(x: Tensor3D, weights: Triple<Tensor2D>, biases?: Triple<Tensor1D>): QkvInputs {
  const [queryWeight, keyWeight, valueWeight] = weights
  const [queryBias, keyBias, valueBias] = biases ?? []
  return { x, queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias }
}
