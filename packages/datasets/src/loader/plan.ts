/** All that decides a loader's batches, so that a run that is resumed does not go on with others unnoticed. */
import type { TransformSpec } from '../types.ts'

export interface LoaderPlan {
  /** In the data set. */
  examples: number
  batchSize: number
  dropLast: boolean
  /** Of the transforms. */
  seed: number
  /** Its name, which says all that decides the order. */
  sampler: string
  transforms: readonly TransformSpec[]
  batchTransforms: readonly TransformSpec[]
}

/** Where an epoch goes on; plain data, for a checkpoint. */
export interface LoaderState {
  epoch: number
  firstBatch: number
  plan: LoaderPlan
}

/** @throws naming what differs */
export function checkPlan(saved: LoaderPlan, plan: LoaderPlan): void {
  for (const name of Object.keys(plan) as (keyof LoaderPlan)[]) {
    const [before, now] = [JSON.stringify(saved[name]), JSON.stringify(plan[name])]
    if (before !== now)
      throw new Error(
        `The loader's ${name} was ${before} when the state was saved and is ${now}; the batches would be others. Go on with what it was, or begin anew.`,
      )
  }
}
