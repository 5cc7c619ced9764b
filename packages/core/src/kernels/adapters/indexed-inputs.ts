import type { TensorInfo } from '@tensorflow/tfjs-core'

/** Inputs of a step op, of which there are as many as a model has parameters. */
export type IndexedInputs = Record<string, TensorInfo>

/** The inputs `<prefix>0`, `<prefix>1`, … */
export const indexedInputs = (inputs: IndexedInputs, prefix: string, count: number): TensorInfo[] =>
  Array.from({ length: count }, (_, i) => inputs[`${prefix}${i}`] as TensorInfo)
