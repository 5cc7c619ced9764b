/** Everything a run needs, put together: data, model, folder, log. */
import { availableParallelism } from 'node:os'
import type { HubOptions } from '@vitral/core'
import type { Transform } from '@vitral/datasets'
import type { CheckpointOptions } from './checkpoint.ts'
import { createModel } from './create-model.ts'
import { openTrainingData, type TrainingData } from './data.ts'
import { environment } from './environment.ts'
import { metricsLog } from './metrics-log.ts'
import { processorOf } from './processor.ts'
import type { Recipe } from './recipe.ts'
import { recipeLoss } from './recipe-loss.ts'
import { recipeTransforms } from './recipe-transforms.ts'
import { clearLeftovers, openRun, type RunPaths, recordRun } from './run-folder.ts'
import { lockRun, type RunLock } from './run-lock.ts'
import type { OnSkipped } from './skipped-images.ts'
import { Trainer } from './trainer.ts'

export interface RunOptions {
  recipe: Recipe
  /** Folder of the data set; of a manifest the file. */
  data: string
  /** Folder of the run. */
  out: string
  /** Go on with the run that is there. @default false */
  resume?: boolean
  checkpoints?: CheckpointOptions
  /** Told in one line of damaged checkpoints that are passed over. @default console.warn */
  onDamaged?: (reason: string) => void
  /** Told of each image that is left out since it cannot be decoded; without it the first one ends the run. */
  onSkipped?: OnSkipped
  /** Threads that load images. @default 0, or half the processors when the images must be resized */
  workers?: number
  /** How a pretrained model is downloaded, and who is told of its progress. */
  hub?: HubOptions
}

export interface Run {
  trainer: Trainer
  data: TrainingData
}

/**
 * Prepares a training run, or the rest of one. Choose the backend before.
 *
 * @throws when data, recipe or folder cannot be used, and when another process trains there; nothing is left there then.
 * @example
 * await useBackend('auto')
 * const { trainer } = await startRun({ recipe: recipes['cifar10-micro'], data: 'data', out: 'runs/micro' })
 * await trainer.train()
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const { recipe, out, resume = false } = options
  openRun(out, recipe, { resume })
  const lock = await lockRun(out)
  try {
    // Once more: another process may have begun a run there until just now.
    return await prepareRun(options, openRun(out, recipe, { resume }), lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function prepareRun(options: RunOptions, paths: RunPaths, lock: RunLock): Promise<Run> {
  const { recipe, out, resume = false, checkpoints, onDamaged, onSkipped, hub } = options
  const chains = recipeTransforms(recipe)
  const workers = options.workers ?? defaultWorkers(chains.train)
  const data = await openTrainingData(recipe, options.data, { workers, onSkipped })
  const model = await createModel(recipe, data.labels, hub)
  const processor = processorOf(chains.evaluation, model.config.imageSize)
  await clearLeftovers(out)
  await recordRun(paths, recipe, environment())
  const loss = await recipeLoss(recipe, { labels: data.labels, processor, hub })
  const trainer = new Trainer({ recipe, model, loss, processor, data, paths, checkpoints, lock })
  if (resume) await trainer.resume({ onDamaged })
  trainer.observe(await metricsLog(paths.metrics, trainer.position))
  return { trainer, data }
}

/** Small images are made faster than they are sent between threads. */
const defaultWorkers = (chain: readonly Transform[]): number =>
  chain.some(({ name }) => name === 'resize') ? Math.ceil(availableParallelism() / 2) : 0
