/** What a student is told by a teacher: how far its probabilities are from the teacher's. */
import { exp, mean, mul, type Scalar, sub, sum, type Tensor2D, tidy } from '@tensorflow/tfjs-core'
import { checkShape } from '../arguments.ts'
import { logProbabilities } from './targets.ts'

/** Options of distillationLoss. */
export interface DistillationLossOptions {
  /** τ: both logits are divided by it; the higher, the more the teacher's small probabilities say. @default 1 */
  temperature?: number
}

/**
 * τ² times the mean over the batch of KL(softmax(teacher/τ) ‖ softmax(student/τ)). Source: Hinton et al. 2015, Distilling
 * the Knowledge in a Neural Network; torch's kl_div with `reduction='batchmean'`. Computed by stock ops: the logits are few.
 *
 * @param logits [B, K], the student's
 * @param teacherLogits [B, K]; no gradient goes to them
 * @returns scalar
 */
export function distillationLoss(
  logits: Tensor2D,
  teacherLogits: Tensor2D,
  { temperature = 1 }: DistillationLossOptions = {},
): Scalar {
  checkShape('distillationLoss', 'logits', logits, ['batch', 'classes'])
  checkShape('distillationLoss', 'teacherLogits', teacherLogits, logits.shape)
  if (!(temperature > 0 && temperature < Infinity))
    throw new Error(`distillationLoss: temperature is ${temperature}; expected a number above 0.`)
  return tidy(() => {
    const student = logProbabilities(mul(logits, 1 / temperature))
    const teacher = logProbabilities(mul(teacherLogits, 1 / temperature))
    const divergence = sum(mul(exp(teacher), sub(teacher, student)), 1) // [B]
    return mul(mean(divergence), temperature ** 2)
  })
}
