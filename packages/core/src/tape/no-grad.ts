/** Ops without a gradient amid those that have one. */
import { engine, type TensorContainer, tidy } from '@tensorflow/tfjs-core'
import { NO_TAPE } from './state.ts'

/**
 * Runs `f` off the tape: its results are constants to the gradient that is being recorded, and nothing is saved of it
 * for the backward pass. Counterpart of `torch.no_grad`. Without a tape it is tfjs's `tidy`.
 *
 * @param f must be synchronous: recording goes on when it returns
 * @example
 * valueAndGrads(() => {
 *   const taught = noGrad(() => teacher.forward(pixelValues).logits)
 *   return distillationLoss(student.forward(pixelValues).logits, taught)
 * }, parameters)
 */
export function noGrad<T extends TensorContainer>(f: () => T): T {
  const { state } = engine()
  const { gradientDepth, activeTape } = state
  state.gradientDepth = 0
  state.activeTape = NO_TAPE
  try {
    return tidy(f)
  } finally {
    state.gradientDepth = gradientDepth
    state.activeTape = activeTape
  }
}
