/** @vitral/trainer: recipes, the training loop, optimizers and schedules. Further names are on subpaths. */

export { datasetNames, openDataset } from './data/named-datasets.ts'
export { processorOf, transformsOf } from './data/processor.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.ts'
export { clipGradNorm, clipGradValue, type Gradients } from './optimizers/clip-gradients.ts'
export { createOptimizer, type Optimizer } from './optimizers/index.ts'
export { defineRecipe, overrideRecipe, type RecipeOptions } from './recipe/recipe.ts'
export type {
  GradScalerOptions,
  LossOptions,
  OptimizerName,
  OptimizerOptions,
  Recipe,
  ScheduleName,
} from './recipe/types.ts'
export { type FineTuneRecipeOptions, fineTuneRecipe } from './recipes/fine-tune.ts'
export { recipes } from './recipes/index.ts'
export { loadRecipe } from './recipes/load.ts'
export type { EpochReport, StepReport, TestReport, TrainingObserver, TrainingResult } from './run/events.ts'
export type { RunPaths } from './run/folder.ts'
export { type Run, type RunOptions, startRun } from './run/start-run.ts'
export { Trainer } from './run/trainer.ts'
export { createScheduler, type ScheduleOptions, type Scheduler } from './schedules/index.ts'
export type { ImageBatch } from './step/batch.ts'
export { GradScaler } from './step/grad-scaler.ts'
export { createLoss } from './step/losses.ts'
export { type TrainStepOptions, type TrainStepResult, trainStep } from './step/train-step.ts'
