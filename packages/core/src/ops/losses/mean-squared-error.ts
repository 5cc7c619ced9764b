/** The loss of regression: an age, a height, coordinates. */
import { mean, reshape, type Scalar, square, sub, type Tensor1D, type Tensor2D, tidy } from '@tensorflow/tfjs-core'
import { checkShape } from '../arguments.ts'

/**
 * Mean over images and outputs of (output − target)², torch.nn.functional.mse_loss. Computed by stock ops: the outputs are few.
 *
 * @param outputs [B, K], the logits of a model of regression
 * @param targets [B, K] float32; of one output also [B]
 * @returns scalar
 */
export function meanSquaredError(outputs: Tensor2D, targets: Tensor1D | Tensor2D): Scalar {
  checkShape('meanSquaredError', 'outputs', outputs, ['batch', 'outputs'])
  const [batch, count] = outputs.shape
  checkShape('meanSquaredError', 'targets', targets, count === 1 && targets.rank === 1 ? [batch] : outputs.shape)
  return tidy(() => mean(square(sub(outputs, reshape(targets, outputs.shape)))))
}
