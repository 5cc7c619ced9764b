/** What a training run is put together from. */
import type { Loss, ViTForImageClassification } from '@vitral/core'
import type { TrainingData } from '../data/training-data.ts'
import type { Collectives } from '../ddp/collectives.ts'
import type { Recipe } from '../recipe/types.ts'
import type { CheckpointOptions } from './checkpoint.ts'
import type { RunPaths } from './folder.ts'
import type { RunLock } from './lock.ts'

export interface TrainerParts {
  recipe: Recipe
  model: ViTForImageClassification
  /** @default the recipe's, without a teacher */
  loss?: Loss
  /** What prepares an image as the evaluation did; saved with the best model. */
  processor: { savePretrained(folder: string): Promise<void> }
  /** Of a process among several its share. */
  data: TrainingData
  paths: RunPaths
  checkpoints?: CheckpointOptions
  /** Of the run's folder; released with the trainer. */
  lock?: RunLock
  /**
   * The processes that train together, each with a Trainer of its own; the first alone writes. They are the caller's to
   * close. @default one process
   */
  collectives?: Collectives
}
