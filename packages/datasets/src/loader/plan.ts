/** All that decides a loader's batches, so that a run that is resumed does not go on with others unnoticed. */
import { deriveSeed } from '@vitral/core/image'
import { hashText } from '../random/hash-text.ts'
import type { Dataset, TransformSpec } from '../types.ts'

/** All settings that decide the batches, as plain data. */
export interface LoaderPlan {
  /** Number of examples in the data set. */
  examples: number
  /** A checksum of its classes, and of each example's label and key. */
  content: string
  /** Examples of a batch. */
  batchSize: number
  /** Whether a last batch that is smaller is left out. */
  dropLast: boolean
  /** Seed for the transforms. */
  seed: number
  /** Its name, which says all that decides the order. */
  sampler: string
  /** Transforms of single images. */
  transforms: readonly TransformSpec[]
  /** Transforms of whole batches. */
  batchTransforms: readonly TransformSpec[]
}

/** Where an epoch goes on; plain data, for a checkpoint. */
export interface LoaderState {
  /** Epoch, 0 for the first. */
  epoch: number
  /** Batch of the epoch to go on with, 0 for the first. */
  firstBatch: number
  /** What decides the batches. */
  plan: LoaderPlan
}

/** @throws naming what differs */
export function checkPlan(saved: LoaderPlan, plan: LoaderPlan): void {
  if (saved.examples === plan.examples && saved.content !== plan.content)
    throw new Error(
      saved.content === undefined
        ? 'The state was saved before it said which data it belongs to; the batches may be others. Begin anew.'
        : `The loader's data set has ${plan.examples} examples, as when the state was saved, but other classes, labels or files; the batches would be others. Go on with the data that it was, or begin anew.`,
    )
  for (const name of Object.keys(plan) as (keyof LoaderPlan)[]) {
    const [before, now] = [textOf(saved[name]), textOf(plan[name])]
    if (before !== now)
      throw new Error(
        `The loader's ${name} was ${before} when the state was saved and is ${now}; the batches would be others. Go on with what it was, or begin anew.`,
      )
  }
}

/** Where a user's module lies decides nothing. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (key, inner: unknown) => (key === 'module' ? undefined : inner))

/** Checksum of what a data set says without its images: reading those would take as long as an epoch. */
export function checksumOf(dataset: Dataset): string {
  const { length, classes, labels } = dataset
  let hash = classes.reduce((hash, name) => hashText(hash, name), deriveSeed(classes.length, length))
  if (labels) for (let i = 0; i < length; i++) hash = deriveSeed(hash, labels[i] as number)
  if (dataset.keyOf) for (let i = 0; i < length; i++) hash = hashText(hash, dataset.keyOf(i))
  return hash.toString(16).padStart(8, '0')
}
