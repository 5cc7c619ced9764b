/**
 * All that the tape remembers beside tfjs's engine. Two kinds, and nothing else of this package is module state of a pass:
 *
 * Scopes hold while a function runs, and are what they were before once it returns or throws (`during`).
 *
 * | scope | set by | read by |
 * |---|---|---|
 * | computeDtype | `autocast` | every op of the half class as it runs (op.ts) |
 * | recording | `valueAndGrads`, while `f` runs | every op: is a gradient wanted of its result? (`wantsGradient`) |
 * | wantedGradients | `valueAndGrads`, around one node's gradient | that op's gradient: which inputs' to compute (op.ts) |
 *
 * Notes on tensors carry a result from the forward to the backward pass without its memory (recompute.ts):
 *
 * 1. `recomputed(f, x)` notes that f(x) is made of x: `origins`.
 * 2. An op that would save f(x) has its node's entry replaced by a copy of x, which shares x's memory: `saveOrigins`, called
 *    by op.ts as the node is the tape's newest. It notes what makes f(x) of that copy: `remakers`.
 * 3. Before that node's gradient runs, `valueAndGrads` puts f(x) back in the entry: `restoreSaved`.
 *
 * The notes are keyed by tensor, weakly: one that goes takes its note along.
 */
import type { engine, Tensor } from '@tensorflow/tfjs-core'

/** Format that the factors of products are rounded to; sums are float32, or exact. */
export type ComputeDtype = 'float32' | 'bfloat16' | 'float16' | 'int8'

/** Those in which there are gradients. */
export type TrainingDtype = Exclude<ComputeDtype, 'int8'>

/** tfjs's list of what ran, in order. */
export type Tape = NonNullable<ReturnType<typeof engine>['state']['activeTape']>

/** tfjs's own value for "no tape"; its type leaves the null out. */
export const NO_TAPE: Tape = null as unknown as Tape

interface Scopes {
  computeDtype: ComputeDtype
  recording: { dependsOnXs(x: Tensor): boolean } | undefined
  wantedGradients: readonly string[] | undefined
}

const current: Scopes = { computeDtype: 'float32', recording: undefined, wantedGradients: undefined }

/** The scopes as they are now. */
export const scopes: Readonly<Scopes> = current

/** Runs `f` with another value of a scope. */
export function during<Name extends keyof Scopes, T>(name: Name, value: Scopes[Name], f: () => T): T {
  const before = current[name]
  current[name] = value
  try {
    return f()
  } finally {
    current[name] = before
  }
}

type Unary = (x: Tensor) => Tensor

/** Results and what they were made of. */
export const origins: WeakMap<Tensor, { f: Unary; x: Tensor }> = new WeakMap()

/** Tensors that a tape keeps in place of a result, and what makes the result of them. */
export const remakers: WeakMap<Tensor, Unary> = new WeakMap()
