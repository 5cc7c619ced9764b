/**
 * The choice of ops that are recorded: only those that depend on the tensors whose gradient is wanted. Everything below the lowest
 * trainable layer then runs as in inference: nothing is saved for it, and no backward pass goes there.
 */
import { engine, type Tensor } from '@tensorflow/tfjs-core'
import { scopes, type Tape } from './state.ts'

export class Recording {
  readonly #tape: Tape
  readonly #dependent: Set<number>
  #nodesSeen = 0

  constructor(tape: Tape, xs: readonly Tensor[]) {
    this.#tape = tape
    this.#dependent = new Set(xs.map(x => x.id))
  }

  /** Whether the gradient's path goes through the tensor: it is one of the xs, or was computed from them. */
  readonly dependsOnXs = (x: Tensor): boolean => {
    for (; this.#nodesSeen < this.#tape.length; this.#nodesSeen++) {
      const { inputs, outputs } = this.#tape[this.#nodesSeen] as Tape[number]
      if (Object.values(inputs).some(({ id }) => this.#dependent.has(id)))
        for (const { id } of outputs) this.#dependent.add(id)
    }
    return this.#dependent.has(x.id)
  }
}

/** Whether a gradient will be wanted of what is computed from these; without a recording of ours, always. */
export function wantsGradient(inputs: readonly (Tensor | undefined)[]): boolean {
  const recording = engine().isTapeOn() ? scopes.recording : undefined
  return recording === undefined || inputs.some(x => x !== undefined && recording.dependsOnXs(x))
}
