/** @vitral/trainer: recipes, the training loop, optimizers, schedules, checkpoints. */

export { type Dashboard, startDashboard } from './dashboard/dashboard.ts'
export type { WatchedRun } from './dashboard/run-progress.ts'
export { datasetNames, type OpenDatasetOptions, openDataset } from './data/open-dataset.ts'
export { processorOf, transformsOf } from './data/processor.ts'
export type { TrainingData } from './data/training-data.ts'
export type { DataSource, OwnData } from './data/validation-split.ts'
export { alone, type Collectives, type CollectivesEngine } from './ddp/collectives.ts'
export { DataParallel, type DataParallelOptions } from './ddp/data-parallel.ts'
export { connectProcessGroup, type ProcessGroup } from './ddp/process-group.ts'
export type { CalibrationBin } from './evaluation/calibration.ts'
export type { BestEvaluation, EarlyStopping } from './evaluation/choose-best.ts'
export type { ConfusionCell, ConfusionCounts } from './evaluation/confusion.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.ts'
export { type ExampleImage, ExampleImages } from './evaluation/example-images.ts'
export type { ClassMetrics, CommonMetrics, Metrics } from './evaluation/metrics.ts'
export type { MultiLabelMetrics } from './evaluation/multi-label-metrics.ts'
export type { TestTimeAugmentation } from './evaluation/test-time-augmentation.ts'
export { type LrFindOptions, type LrFindResult, lrFind } from './lr-find/lr-find.ts'
export { plotRates } from './lr-find/plot.ts'
export type { RatePoint, SmoothPoint, Suggestion } from './lr-find/suggest-rate.ts'
export type { GroupedOptimizerOptions, OptimizerName, OptimizerOptions } from './optimizers/algorithms.ts'
export {
  clipGradNorm,
  clipGradValue,
  type GradientClip,
  type Gradients,
  type NormClip,
} from './optimizers/clip-gradients.ts'
export { createOptimizer, type Optimizer, type OptimizerState } from './optimizers/index.ts'
export {
  type GroupOptions,
  type ParameterGroups,
  type ParameterSettings,
  parameterGroups,
} from './optimizers/parameter-groups.ts'
export type { FineTune } from './recipe/fine-tune.ts'
export { defineRecipe, overrideRecipe, type RecipeOptions } from './recipe/recipe.ts'
export type { Recipe, RecipeDistillation, RecipeModel, RecipeSchedule, RecipeTransforms } from './recipe/types.ts'
export { type FineTuneRecipeOptions, fineTuneRecipe } from './recipes/fine-tune.ts'
export { recipes } from './recipes/index.ts'
export { loadRecipe } from './recipes/load.ts'
export type { ReportedEvaluation, ReportedImage } from './report/evaluation-file.ts'
export { writeReport } from './report/report.ts'
export type { AddedEpochs } from './run/added-epochs.ts'
export { type AssembleOptions, assemble, assembleParts, type Training, type TrainingParts } from './run/assemble.ts'
export { broadcastParameters } from './run/broadcast-state.ts'
export { type CheckpointOptions, type LoadOptions, loadCheckpoint, saveCheckpoint } from './run/checkpoint.ts'
export { type Checkpoint, DamagedCheckpointError, readCheckpoint, writeCheckpoint } from './run/checkpoint-file.ts'
export type { EpochReport, StepReport, TestReport, TrainingObserver, TrainingResult } from './run/events.ts'
export { type RunPaths, runPaths } from './run/folder.ts'
export type { RunFilesOptions } from './run/run-files.ts'
export { type Run, type RunOptions, startRun } from './run/start-run.ts'
export type { RunPosition, RunState, Section, SectionState, SectionTensors } from './run/state.ts'
export { Trainer } from './run/trainer.ts'
export {
  createScheduler,
  type ScheduleName,
  type ScheduleOptions,
  type Scheduler,
} from './schedules/index.ts'
export type { ImageBatch } from './step/batch.ts'
export { type DistillationOptions, distill } from './step/distillation.ts'
export { GradScaler, type GradScalerOptions, type GradScalerState } from './step/grad-scaler.ts'
export { createLoss, type LossName, type LossOptions } from './step/losses.ts'
export { createModelEma, type ModelEma, type ModelEmaOptions } from './step/model-ema.ts'
export { type TrainStepOptions, type TrainStepResult, trainStep } from './step/train-step.ts'
export { gridSearch, type RandomSearchOptions, randomSearch, type Settings } from './sweep/search.ts'
export { type SweepOptions, type SweepResult, type SweptTrial, sweep } from './sweep/sweep.ts'
export type { Trial, TrialResult } from './sweep/sweep-folder.ts'
export { type TensorboardLogOptions, tensorboardLog } from './tensorboard/tensorboard-log.ts'
