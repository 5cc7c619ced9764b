/** What a run trains with, as its recipe says. */
import type { Loss } from '@vitral/core'
import type { Collectives } from '../ddp/collectives.ts'
import { DataParallel } from '../ddp/data-parallel.ts'
import type { Optimizer } from '../optimizers/index.ts'
import { recipeScheduler } from '../recipe/schedule.ts'
import type { Scheduler } from '../schedules/index.ts'
import { GradScaler } from '../step/grad-scaler.ts'
import { createLoss } from '../step/losses.ts'
import { createModelEma, type ModelEma } from '../step/model-ema.ts'
import { recipeOptimizer } from './recipe-optimizer.ts'
import type { TrainerParts } from './trainer-parts.ts'

export interface TrainingTools {
  optimizer: Optimizer
  scheduler: Scheduler
  loss: Loss
  scaler?: GradScaler
  ema?: ModelEma
  /** Of several processes. */
  parallel?: DataParallel
}

export function trainingTools(
  { recipe, model, data, loss }: Pick<TrainerParts, 'recipe' | 'model' | 'data' | 'loss'>,
  collectives: Collectives,
): TrainingTools {
  const optimizer = recipeOptimizer(recipe, model)
  const { name: lossName, ...lossOptions } = recipe.loss
  const trained = model.trainableParameters()
  return {
    optimizer,
    scheduler: recipeScheduler(recipe, optimizer.lr, data.stepsPerEpoch),
    loss: loss ?? createLoss(lossName, lossOptions),
    scaler: recipe.gradScaler ? new GradScaler(recipe.gradScaler) : undefined,
    ema: recipe.ema ? createModelEma(trained, recipe.ema) : undefined,
    parallel: collectives.worldSize > 1 ? new DataParallel(collectives, trained) : undefined,
  }
}
