/** @vitral/core/tape: what gradients and random numbers are made of, for training loops and backends. */

export { isFusion } from './op.ts'
export { ownFloats } from './own-floats.ts'
export { deriveSeed, normalStream, randomBits } from './random.ts'
export type { ValueAndGrads, ValueAndGradsOptions } from './value-and-grads.ts'
