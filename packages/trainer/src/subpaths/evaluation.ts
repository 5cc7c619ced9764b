/** @vitral/trainer/evaluation: metrics of an evaluation, and what chooses the best model by them. */

export type { CalibrationBin } from '../evaluation/calibration.ts'
export type { BestEvaluation } from '../evaluation/choose-best.ts'
export type { ConfusionCell, ConfusionCounts } from '../evaluation/confusion.ts'
export { type ExampleImage, ExampleImages } from '../evaluation/example-images.ts'
export type { ClassMetrics, CommonMetrics, Metrics } from '../evaluation/metrics.ts'
export type { MultiLabelMetrics } from '../evaluation/multi-label-metrics.ts'
export type { TestTimeAugmentation } from '../evaluation/test-time-augmentation.ts'
export type { EarlyStopping } from '../recipe/types.ts'
