/** Gradient checkpointing: a part of the forward pass saves its input alone, and is computed again for its gradient. */
import { customGrad, engine, type Tensor } from '@tensorflow/tfjs-core'
import { autocast, trainingDtype } from './autocast.ts'
import { wantsGradient } from './recording.ts'
import { valueAndGrads } from './value-and-grads.ts'

/**
 * f(x), of which the tape saves x and nothing that is computed on the way: the backward pass runs f a second time, so
 * that the memory of one such part, not of all, is in use at a time, for a third more of arithmetic.
 *
 * Counterpart of `torch.utils.checkpoint`. Without a tape it is f(x).
 *
 * @param f must give the same tensor each time, so it takes its random seeds from outside; it is run in the precision of
 *   the first time
 * @param x the input
 * @param parameters everything else that f uses and that may want a gradient
 */
export function checkpoint<T extends Tensor>(f: (x: T) => T, x: T, parameters: readonly Tensor[]): T {
  const wanted = [x, ...parameters].filter(tensor => wantsGradient([tensor]))
  if (!engine().isTapeOn() || wanted.length === 0) return f(x)
  const dtype = trainingDtype()
  const part = customGrad((...given: unknown[]) => {
    const save = given.at(-1) as (tensors: Tensor[]) => void
    save([x])
    const gradFunc = (dy: Tensor, [input]: Tensor[]): Tensor[] => {
      const again = () => autocast({ dtype }, () => f(input as T))
      const { value, grads } = valueAndGrads(
        again,
        wanted.map(tensor => (tensor === x ? (input as T) : tensor)),
        { dy },
      )
      value.dispose()
      return grads
    }
    return { value: f(x), gradFunc: gradFunc as (dy: Tensor, saved: Tensor[]) => Tensor[] }
  })
  return part(...wanted) as T
}
