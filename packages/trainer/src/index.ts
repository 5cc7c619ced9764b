/** @vitral/trainer: recipes, the training loop, optimizers, schedules, checkpoints. */

export type { AddedEpochs } from './added-epochs.ts'
export type { CalibrationBin } from './calibration.ts'
export { type CheckpointOptions, type LoadOptions, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
export { type Checkpoint, DamagedCheckpointError, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
export type { BestEvaluation, EarlyStopping } from './choose-best.ts'
export { clipGradNorm, clipGradValue, type Gradients } from './clip-gradients.ts'
export type { ConfusionCell, ConfusionCounts } from './confusion.ts'
export { type Dashboard, startDashboard } from './dashboard/dashboard.ts'
export type { WatchedRun } from './dashboard/run-progress.ts'
export type { TrainingData } from './data.ts'
export { broadcastParameters } from './ddp/broadcast-state.ts'
export { alone, type Collectives, type CollectivesEngine } from './ddp/collectives.ts'
export { DataParallel, type DataParallelOptions } from './ddp/data-parallel.ts'
export { connectProcessGroup, type ProcessGroup } from './ddp/process-group.ts'
export { type DistillationOptions, distill } from './distillation.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts'
export type { FineTune } from './fine-tune.ts'
export { type FineTuneRecipeOptions, fineTuneRecipe } from './fine-tune-recipe.ts'
export { GradScaler, type GradScalerOptions, type GradScalerState } from './grad-scaler.ts'
export type { DataSource, OwnData } from './held-out.ts'
export { loadRecipe } from './load-recipe.ts'
export { createLoss, type LossName, type LossOptions } from './losses.ts'
export { type LrFindOptions, type LrFindResult, lrFind } from './lr-find/lr-find.ts'
export { plotRates } from './lr-find/plot.ts'
export type { RatePoint, SmoothPoint, Suggestion } from './lr-find/suggest-rate.ts'
export type { ClassMetrics, CommonMetrics, Metrics } from './metrics.ts'
export { createModelEma, type ModelEma, type ModelEmaOptions } from './model-ema.ts'
export type { MultiLabelMetrics } from './multi-label-metrics.ts'
export { datasetNames, type OpenDatasetOptions, openDataset } from './open-dataset.ts'
export type { GroupedOptimizerOptions, OptimizerName, OptimizerOptions } from './optimizers/algorithms.ts'
export { createOptimizer, type Optimizer, type OptimizerState } from './optimizers/index.ts'
export {
  type GroupOptions,
  type ParameterGroups,
  type ParameterSettings,
  parameterGroups,
} from './optimizers/parameter-groups.ts'
export { processorOf, transformsOf } from './processor.ts'
export {
  defineRecipe,
  overrideRecipe,
  type Recipe,
  type RecipeDistillation,
  type RecipeModel,
  type RecipeOptions,
  type RecipeSchedule,
} from './recipe.ts'
export type { RecipeTransforms } from './recipe-transforms.ts'
export { recipes } from './recipes/index.ts'
export type { ReportedEvaluation, ReportedImage } from './report/evaluation-file.ts'
export { type ExampleImage, ExampleImages } from './report/example-images.ts'
export { writeReport } from './report/report.ts'
export { type Run, type RunOptions, startRun } from './run.ts'
export { type RunPaths, runPaths } from './run-folder.ts'
export type { RunPosition, RunState, Section, SectionState, SectionTensors } from './run-state.ts'
export {
  createScheduler,
  type ScheduleName,
  type ScheduleOptions,
  type Scheduler,
} from './schedules/index.ts'
export { gridSearch, type RandomSearchOptions, randomSearch, type Settings } from './sweep/search.ts'
export { type SweepOptions, type SweepResult, type SweptTrial, sweep } from './sweep/sweep.ts'
export type { Trial, TrialResult } from './sweep/sweep-folder.ts'
export { type TensorboardLogOptions, tensorboardLog } from './tensorboard/tensorboard-log.ts'
export type { TestTimeAugmentation } from './test-time-augmentation.ts'
export { type ImageBatch, type TrainStepOptions, type TrainStepResult, trainStep } from './train-step.ts'
export { Trainer } from './trainer.ts'
export type { TrainerParts } from './trainer-parts.ts'
export type { EpochReport, StepReport, TestReport, TrainingObserver, TrainingResult } from './training-events.ts'
