/** What the loop needs to know of its data. */
import type { ImageBatch } from './train-step.ts'

export interface TrainingData {
  /** Names of the classes, in the order of the labels. */
  labels: readonly string[]
  trainImages: number
  evaluationImages: number
  stepsPerEpoch: number
  /** The batches of an epoch, 0 for the first, from one of them on. Their order is a function of seed and epoch. */
  train(from: { epoch: number; firstBatch: number }): AsyncIterable<ImageBatch>
  evaluation(): AsyncIterable<ImageBatch>
}
