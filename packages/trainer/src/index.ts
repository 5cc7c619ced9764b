/** @vitral/trainer: recipes, the training loop, optimizers, schedules, checkpoints. */

export { loadCheckpoint, type RunPosition, saveCheckpoint } from './checkpoint.ts'
export { clipGradNorm, type Gradients } from './clip-grad-norm.ts'
export type { TrainingData } from './data.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts'
export type { FineTune } from './fine-tune.ts'
export { loadRecipe } from './load-recipe.ts'
export type { ClassMetrics, Metrics } from './metrics.ts'
export { datasetNames, type OpenDatasetOptions, openDataset } from './open-dataset.ts'
export type { OptimizerName, OptimizerOptions } from './optimizers/algorithms.ts'
export { createOptimizer, type Optimizer, type OptimizerState } from './optimizers/index.ts'
export { processorOf, transformsOf } from './processor.ts'
export {
  defineRecipe,
  overrideRecipe,
  type Recipe,
  type RecipeModel,
  type RecipeOptions,
  type RecipeSchedule,
} from './recipe.ts'
export { recipes } from './recipes/index.ts'
export { type Run, type RunOptions, startRun } from './run.ts'
export { type RunPaths, runPaths } from './run-folder.ts'
export { createScheduler, type ScheduleName, type ScheduleOptions, type Scheduler } from './schedules.ts'
export { type ImageBatch, type TrainStepOptions, type TrainStepResult, trainStep } from './train-step.ts'
export { Trainer, type TrainerParts } from './trainer.ts'
export type { EpochReport, StepReport, TrainingObserver, TrainingResult } from './training-events.ts'
