/**
 * What a kernel call costs at least: floating-point operations of its matrix products (a multiplication and an addition
 * are two), and bytes, each operand read and each result written once. What is linear in the tensors' size has bytes
 * alone: memory is its limit.
 */

import { elementsOf } from '@vitral/core/sizes'
import type { KernelCall } from './kernel-profile.ts'

type Shapes = Pick<KernelCall, 'inputs' | 'outputs' | 'attributes'>

const sizeOf = (shape: readonly number[] = []): number => elementsOf(shape)

/** x [..., In] times a matrix [Out, In, …]: the product of all sizes. */
const product = (x: readonly number[] = [], weight: readonly number[] = []): number =>
  (2 * sizeOf(x) * sizeOf(weight)) / (x.at(-1) ?? 1)

/** Products of the backward pass: one for each wanted gradient of its two operands. */
const wanted = (outputs: number[][], operands: (readonly number[] | undefined)[]): number =>
  operands.filter(operand => operand && outputs.some(shape => shape.join() === operand.join())).length

/** Scores, and their product with the values: 4·B·N²·C, of the result [B, N, C]. */
const attention = (output: readonly number[] = []): number => 4 * sizeOf(output) * (output[1] ?? 1)

/** FLOPs for x [B, N, C]: a product of the class tokens with a matrix [C, C], and one of each head's row with all tokens. */
function classAttention({ inputs, attributes }: Shapes): { ofWeight: number; ofTokens: number } {
  const [batch = 1, tokens = 1, hiddenSize = 1] = inputs.x ?? []
  const row = 2 * batch * hiddenSize
  return { ofWeight: row * hiddenSize, ofTokens: row * (attributes.numHeads as number) * tokens }
}

/** dy [B, N, C] or its forward output, and weight [C, c, P, P']. */
const patches = (tokens: readonly number[] = [], weight: readonly number[] = []): number =>
  2 * sizeOf(tokens.slice(0, -1)) * sizeOf(weight)

const none = (): number => 0

/** FLOPs of every kernel of the op interface. */
const flops: Readonly<Record<string, (shapes: Shapes) => number>> = {
  VitralPatchEmbed: ({ inputs, outputs }) => patches(outputs[0], inputs.weight),
  VitralPatchEmbedGrad: ({ inputs, outputs }) =>
    patches(inputs.dy, inputs.weight) * wanted(outputs, [inputs.pixelValues, inputs.weight]),
  VitralQkv: ({ inputs }) => 3 * product(inputs.x, inputs.queryWeight),
  // Six products when all is wanted: each weight's gradient is one, that of x three.
  VitralQkvGrad: ({ inputs, outputs }) =>
    product(inputs.x, inputs.queryWeight) *
    outputs.reduce((sum, { length }) => sum + (length === 3 ? 3 : length === 2 ? 1 : 0), 0),
  VitralAttention: ({ outputs }) => attention(outputs[0]),
  VitralAttentionGrad: ({ inputs }) => 2.5 * attention(inputs.output), // the scores once more, and four products
  VitralBiasedAttention: ({ outputs }) => attention(outputs[0]),
  VitralBiasedAttentionGrad: ({ inputs }) => 2.5 * attention(inputs.dy), // the same
  VitralClassAttention: shapes => {
    const { ofWeight, ofTokens } = classAttention(shapes)
    return 3 * ofWeight + 2 * ofTokens
  },
  // Without any wanted, two products of each kind; each weight's gradient is one, and of x one and two more.
  VitralClassAttentionGrad: shapes => {
    const { ofWeight, ofTokens } = classAttention(shapes)
    const wanted = (rank: number) => shapes.outputs.filter(({ length }) => length === rank).length
    return (2 + wanted(2) + wanted(3)) * ofWeight + (2 + 2 * wanted(3)) * ofTokens
  },
  VitralLinear: ({ inputs }) => product(inputs.x, inputs.weight),
  VitralLinearGrad: ({ inputs, outputs }) =>
    product(inputs.x, inputs.weight) * wanted(outputs, [inputs.x, inputs.weight]),
  VitralLoraWeight: ({ inputs }) => product(inputs.loraB, inputs.loraA),
  VitralLoraWeightGrad: ({ inputs, outputs }) =>
    product(inputs.loraB, inputs.loraA) * wanted(outputs, [inputs.loraA, inputs.loraB]),
  VitralEmbedTokens: none,
  VitralEmbedTokensGrad: none,
  VitralMaskTokens: none,
  VitralMaskTokensGrad: none,
  VitralInterpolatePositions: none,
  VitralInterpolatePositionsGrad: none,
  VitralLayerNorm: none,
  VitralLayerNormGrad: none,
  VitralInsertTokens: none,
  VitralInsertTokensGrad: none,
  VitralRotateHeads: none,
  VitralRotateHeadsGrad: none,
  VitralRelativeBias: none,
  VitralRelativeBiasGrad: none,
  VitralScaleRows: none,
  VitralScaleRowsGrad: none,
  VitralActivate: none,
  VitralActivateGrad: none,
  VitralMeanTokens: none,
  VitralMeanTokensGrad: none,
  VitralGelu: none,
  VitralGeluGrad: none,
  VitralDropout: none,
  VitralDropoutGrad: none,
  VitralSelectToken: none,
  VitralSelectTokenGrad: none,
  VitralCrossEntropy: none,
  VitralCrossEntropyGrad: none,
  VitralGradNorm: none,
  VitralUnscale: none,
  VitralOptimizerStep: none,
}

export interface Cost {
  flops: number
  bytes: number
}

export function costOf({ kernel, bytes, ...shapes }: KernelCall): Cost {
  // Floats: a step writes parameters and state in place, and reads the gradients alone.
  const written = kernel === 'VitralOptimizerStep' ? inPlace(shapes.inputs) : 0
  return { flops: flops[kernel]?.(shapes) ?? 0, bytes: bytes + 4 * written }
}

const inPlace = (inputs: KernelCall['inputs']): number =>
  Object.entries(inputs).reduce((sum, [name, shape]) => sum + (name.startsWith('g') ? 0 : sizeOf(shape)), 0)

/** Whether the table knows a kernel. */
export const isCosted = (kernel: string): boolean => Object.hasOwn(flops, kernel)
