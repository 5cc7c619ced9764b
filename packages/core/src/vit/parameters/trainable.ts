/** The parameters of a model that train: tfjs's own flag on each variable, set by parts of the model. */
import { isInteger } from '../../check.ts'
import { elementsOf } from '../../sizes.ts'
import type { Parameters } from './parameters.ts'

/**
 * The whole model; its head alone, on features that stay as they are (a linear probe); the last so many layers with the
 * final norm and the head; or the adapters with the head.
 */
export type TrainablePart = 'all' | 'head' | 'adapters' | { lastLayers: number }

/** Numbers of parameters. */
export interface ParameterCounts {
  /** Those that train. */
  trainable: number
  /** All of them. */
  total: number
}

export const isHead = (name: string): boolean => /^(classifier|distillation_classifier|pooler)\./.test(name)
export const isAdapter = (name: string): boolean => /\.lora_[AB]\.weight$/.test(name)
export const isFinalNorm = (name: string): boolean => /^(vit\.)?layernorm\./.test(name)

/** Tells which parameters belong to the part. Adapters train with the layer they are in. */
export function partOf(parameters: Parameters, numLayers: number, part: TrainablePart): (name: string) => boolean {
  if (part === 'all') return () => true
  if (part === 'head') {
    if (![...parameters.keys()].some(isHead))
      throw new Error("setTrainable('head'): the model has no head; expected a classifier, or a model with a pooler.")
    return isHead
  }
  if (part === 'adapters') {
    if (![...parameters.keys()].some(isAdapter))
      throw new Error("setTrainable('adapters'): the model has no adapters; add them with addAdapters.")
    return name => isAdapter(name) || isHead(name)
  }
  const { lastLayers } = part
  if (!isInteger(lastLayers, 1, numLayers))
    throw new Error(
      `setTrainable: lastLayers is ${lastLayers}; expected a whole number from 1 to the model's ${numLayers} layers.`,
    )
  const first = numLayers - lastLayers
  const isLast = (name: string): boolean => Number(/\blayer\.(\d+)\./.exec(name)?.[1] ?? -1) >= first
  return name => isHead(name) || isFinalNorm(name) || isLast(name)
}

export const trainableOf = (parameters: Parameters): Parameters =>
  new Map([...parameters].filter(([, { trainable }]) => trainable))

export function countParameters(parameters: Parameters): ParameterCounts {
  const count = (some: Parameters): number => [...some.values()].reduce((sum, { shape }) => sum + elementsOf(shape), 0)
  return { trainable: count(trainableOf(parameters)), total: count(parameters) }
}
