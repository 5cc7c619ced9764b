/** tfjs's tidy for results with optional fields, which its container type does not know. */
import { type TensorContainer, tidy } from '@tensorflow/tfjs-core'

/** Frees what `f` makes but for the tensors of its result. */
export function tidied<T extends object>(f: () => T): T {
  return tidy(f as () => TensorContainer) as T
}
