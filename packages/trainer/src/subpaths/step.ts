/** @vitral/trainer/step: further parts of a training step. */

export { type DistillationOptions, distill } from '../step/distillation.ts'
export type { GradScalerState } from '../step/grad-scaler.ts'
export type { LossName } from '../step/losses.ts'
export { createModelEma, type ModelEma, type ModelEmaOptions } from '../step/model-ema.ts'
