/** Everything a run needs, put together: data, model, folder, log. */
import { availableParallelism } from 'node:os'
import type { HubOptions, ParameterCounts } from '@vitral/core'
import type { Transform } from '@vitral/datasets'
import { createModel } from './create-model.ts'
import { openTrainingData, recipeChain, type TrainingData } from './data.ts'
import { environment } from './environment.ts'
import { metricsLog } from './metrics-log.ts'
import { processorOf } from './processor.ts'
import type { Recipe } from './recipe.ts'
import { openRun, recordRun } from './run-folder.ts'
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
  /** How many numbers the model has, and how many of them train. */
  parameters: ParameterCounts
}

/**
 * Prepares a training run, or the rest of one. Choose the backend before.
 *
 * @throws when data, recipe or folder cannot be used; nothing is written then.
 * @example
 * await useBackend('auto')
 * const { trainer } = await startRun({ recipe: recipes['cifar10-micro'], data: 'data', out: 'runs/micro' })
 * await trainer.train()
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const { recipe, out, resume = false, onSkipped, hub } = options
  const paths = openRun(out, recipe, { resume })
  const chain = recipeChain(recipe)
  const workers = options.workers ?? defaultWorkers(chain({ train: true }))
  const data = await openTrainingData(recipe, options.data, { workers, onSkipped })
  const model = await createModel(recipe, data.labels, hub)
  const processor = processorOf(chain({ train: false }), model.config.imageSize)
  await recordRun(paths, recipe, environment())
  const trainer = new Trainer({ recipe, model, processor, data, paths })
  if (resume) await trainer.resume()
  trainer.observe(await metricsLog(paths.metrics, trainer.position))
  return { trainer, data, parameters: model.countParameters() }
}

/** Small images are made faster than they are sent between threads. */
const defaultWorkers = (chain: readonly Transform[]): number =>
  chain.some(({ name }) => name === 'resize') ? Math.ceil(availableParallelism() / 2) : 0
