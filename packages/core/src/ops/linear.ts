/** A linear layer, with an activation before it and dropout, drop path and a residual connection after it if wanted. */
import { add, matMul, mul, reshape, type Tensor, type Tensor1D, type Tensor2D, tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { keepMask } from '../tape/random.ts'
import { checkChoice, checkLastAxis, checkProbability, checkShape } from './arguments.ts'
import { geluReference } from './gelu.ts'
import { checkOutputDtype, type OutputDtype, type OutputDtypeOption } from './output-dtype.ts'

/** Dropout and drop path of a linear layer's result, before the residual is added. */
export interface LinearDrops {
  /** Probability that an element is dropped: inverted dropout. @default 0 */
  dropoutProbability?: number
  /** Seed for dropout: element i depends on (seed, i) alone. @default 0 */
  dropoutSeed?: number
  /** Probability that a whole sample is dropped: stochastic depth (Huang et al. 2016), timm's DropPath. @default 0 */
  dropPathProbability?: number
  /** Seed for drop path: sample b depends on (seed, b) alone. @default 0 */
  dropPathSeed?: number
}

/** Options of linear. */
export interface LinearOptions extends LinearDrops, OutputDtypeOption {
  /**
   * Applied to x as it is read, so that its result is never stored: a feed-forward network saves only the activation's
   * input for the gradient. @default 'none'
   */
  inputActivation?: 'none' | 'gelu'
  /** [..., Out], added to the result as it is written: the residual connection of a transformer's branch. @default none */
  residual?: Tensor
}

type Named<Optional extends string> = { x: Tensor; weight: Tensor } & { [name in Optional]: Tensor | undefined }

const op = defineOp({
  kernel: 'VitralLinear',
  save: ['x', 'weight'],
  half: true,
  gradients: ['x', 'weight', 'bias', 'residual'],
  reference(
    { x, weight, bias, residual }: Named<'bias' | 'residual'>,
    { inputActivation, ...drops }: { inputActivation: string; outputDtype: OutputDtype } & Required<LinearDrops>,
  ) {
    const branch = dropped(linearReference(inputActivation === 'gelu' ? geluReference(x) : x, weight, bias), drops)
    return residual ? add(residual, branch) : branch
  },
})

/** x·Wᵀ + b in stock ops. Two-dimensional, since tfjs's gradient of a product broadcast over a batch is wrong. */
export function linearReference(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const [outSize, inSize] = weight.shape as Tensor2D['shape']
  const product = matMul(reshape(x, [-1, inSize]), weight as Tensor2D, false, true)
  return reshape(bias ? add(product, bias) : product, [...x.shape.slice(0, -1), outSize])
}

function dropped(x: Tensor, drops: Required<LinearDrops>): Tensor {
  const { dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed } = drops
  const ofElements = dropoutProbability && tensor(keepMask(dropoutSeed, dropoutProbability, x.size), x.shape)
  const samples = [x.shape[0] as number, ...x.shape.slice(1).fill(1)]
  const ofSamples =
    dropPathProbability && tensor(keepMask(dropPathSeed, dropPathProbability, samples[0] as number), samples)
  const elementsKept = ofElements ? mul(x, ofElements) : x
  return ofSamples ? mul(elementsKept, ofSamples) : elementsKept
}

/**
 * residual + (inputActivation(x)·Wᵀ + b)·keep: torch.nn.functional.linear, then dropout and drop path, which multiply
 * each element by 0 or 1 / (1 − p). One pass over memory. FLOPs 2·M·In·Out.
 *
 * @param x [..., In]; samples, which drop path drops, are along its first axis
 * @param weight [Out, In], PyTorch's layout
 * @param bias [Out], or none
 * @param options `outputDtype: 'compute'` goes with neither drops nor a residual
 * @returns [..., Out]
 */
export function linear<T extends Tensor>(
  x: T,
  weight: Tensor2D,
  bias?: Tensor1D,
  { inputActivation = 'none', outputDtype = 'float32', residual, ...drops }: LinearOptions = {},
): T {
  checkShape('linear', 'weight', weight, ['outSize', 'inSize'])
  checkLastAxis('linear', 'x', x, weight.shape[1])
  if (bias) checkShape('linear', 'bias', bias, [weight.shape[0]])
  if (residual) checkShape('linear', 'residual', residual, [...x.shape.slice(0, -1), weight.shape[0]])
  const { dropoutProbability = 0, dropoutSeed = 0, dropPathProbability = 0, dropPathSeed = 0 } = drops
  checkProbability('linear', 'dropoutProbability', dropoutProbability)
  checkProbability('linear', 'dropPathProbability', dropPathProbability)
  checkInteger('linear: dropoutSeed', dropoutSeed)
  checkInteger('linear: dropPathSeed', dropPathSeed)
  if (dropPathProbability > 0 && x.shape.length < 2)
    throw new Error(
      `linear: x has shape [${x.shape}]; drop path needs samples along a first axis: [B, ..., ${x.shape}].`,
    )
  checkChoice('linear', 'inputActivation', inputActivation, ['none', 'gelu'])
  checkOutputDtype('linear', outputDtype)
  if (outputDtype === 'compute' && (residual || dropoutProbability > 0 || dropPathProbability > 0))
    throw new Error(
      "linear: the result is float32 with dropout, drop path or a residual; leave out outputDtype: 'compute'.",
    )
  const attrs = { inputActivation, outputDtype, dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed }
  return op({ x, weight, bias, residual }, attrs)
}
