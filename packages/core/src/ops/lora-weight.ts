/** The weight of a linear layer with a low-rank adapter. */
import { add, matMul, mul, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralLoraWeight',
  save: ['loraA', 'loraB'],
  gradients: ['weight', 'loraA', 'loraB'],
  reference: (
    { weight, loraA, loraB }: { weight: Tensor; loraA: Tensor; loraB: Tensor },
    { scaling }: { scaling: number },
  ) => add(weight, matMul(loraB as Tensor2D, mul<Tensor2D>(loraA, scaling))),
})

/**
 * W + scaling·B·A, what a layer with a LoRA adapter computes with (Hu et al. 2021); in float32 under autocast too. FLOPs
 * 2·Out·In·rank, and twice that for the gradients of A and B: Bᵀ·dW and dW·Aᵀ, scaled. No activation is kept.
 *
 * @param weight [Out, In], PyTorch's layout
 * @param loraA [rank, In], PEFT's `lora_A.weight`
 * @param loraB [Out, rank], PEFT's `lora_B.weight`
 * @param scaling PEFT's `lora_alpha / r`
 * @returns [Out, In]
 */
export function loraWeight(weight: Tensor2D, loraA: Tensor2D, loraB: Tensor2D, scaling: number): Tensor2D {
  checkShape('loraWeight', 'weight', weight, ['outSize', 'inSize'])
  checkShape('loraWeight', 'loraA', loraA, ['rank', weight.shape[1]])
  checkShape('loraWeight', 'loraB', loraB, [weight.shape[0], loraA.shape[0]])
  return op({ weight, loraA, loraB }, { scaling })
}
