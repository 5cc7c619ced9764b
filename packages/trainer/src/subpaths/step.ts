/** @vitral/trainer/step: further parts of a training step. */

export type { DistillationOptions, LossName, ModelEmaOptions } from '../recipe/types.ts'
export { distill } from '../step/distillation.ts'
export type { GradScalerState } from '../step/grad-scaler.ts'
export { createModelEma, type ModelEma } from '../step/model-ema.ts'
