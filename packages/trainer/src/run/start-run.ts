/** Everything a run needs, put together: data, model, folder, log. */
import type { ParameterCounts, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { lockRun } from '#platform'
import type { TrainingData } from '../data/training-data.ts'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { together } from '../ddp/exchange.ts'
import { reportLog } from '../report/report-log.ts'
import { tensorboardLog } from '../tensorboard/tensorboard-log.ts'
import { type AddedEpochs, addedEpochs } from './added-epochs.ts'
import { type AssembleOptions, assemble, type Training } from './assemble.ts'
import type { CheckpointOptions } from './checkpoint.ts'
import { environment } from './environment.ts'
import type { TrainingObserver } from './events.ts'
import { clearLeftovers, openRun, type RunPaths, readRecord, recordRun, runPaths } from './folder.ts'
import { metricsLog } from './metrics-log.ts'
import type { RunLock } from './run-lock.ts'
import { requireSameData, requireSameRecipe } from './same-recipe.ts'
import { Trainer } from './trainer.ts'

/** Options of startRun. */
export interface RunOptions extends AssembleOptions {
  /** Folder of the run. */
  out: string
  /** Go on with the run that is there; its recipe may have more epochs than before. @default false */
  resume?: boolean
  /** Whether to write event files for TensorBoard into the run's folder. @default false */
  tensorboard?: boolean
  /** Are told what happens, after the run's own log. */
  observers?: readonly TrainingObserver[]
  /** How often the state is saved. */
  checkpoints?: CheckpointOptions
  /** Called with the reason for damaged checkpoints that are skipped. @default console.warn */
  onDamaged?: (reason: string) => void
  /** The processes that train together; the first alone writes. The caller's to close. @default one process */
  collectives?: Collectives
}

/** A run that is ready to train. */
export interface Run {
  /** Trains, and takes observers. */
  trainer: Trainer
  /** The images. */
  data: TrainingData
  /** The caller's to dispose. */
  model: ViTForImageClassification
  /** How many numbers the model has, and how many of them train. */
  parameters: ParameterCounts
  /** What changes where a run is resumed with more epochs than it had. */
  added?: AddedEpochs
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
  const { recipe, out, resume = false, collectives = alone } = options
  await requireSameRecipe(collectives, recipe)
  if (collectives.rank > 0) return joinRun(options, collectives)
  await openRun(out, recipe, { resume })
  const lock = await lockRun(out)
  try {
    // Once more: another process may have begun a run there until just now.
    return await prepareRun(options, await openRun(out, recipe, { resume }), lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function prepareRun(options: RunOptions, paths: RunPaths, lock: RunLock): Promise<Run> {
  const { recipe, out, resume = false, tensorboard = false, checkpoints, onDamaged, collectives = alone } = options
  const training = await assembleTogether(options, collectives)
  await clearLeftovers(out)
  const { recipe: before } = resume ? await readRecord(paths) : { recipe }
  await recordRun(paths, recipe, environment())
  const trainer = new Trainer(training, { paths, checkpoints, lock })
  if (resume) await trainer.resume({ onDamaged })
  trainer.observe(await metricsLog(paths.metrics, trainer.position))
  trainer.observe(reportLog(out, paths, training.processor.config, training.data))
  if (tensorboard) trainer.observe(await tensorboardLog(paths.tensorboard, { recipe, step: trainer.position.step }))
  const { stepsPerEpoch } = training.data
  const added = addedEpochs(recipe, before, { stepsPerEpoch, position: trainer.position })
  return { ...observedRun(trainer, training, options), ...(added && { added }) }
}

/** What the processes but the first do: the run's folder is not theirs, and need not be on their machine. */
async function joinRun(options: RunOptions, collectives: Collectives): Promise<Run> {
  const training = await assembleTogether(options, collectives)
  return observedRun(new Trainer(training, { paths: runPaths(options.out) }), training, options)
}

/** Where another process cannot train, or has other data, nothing is begun here either. */
async function assembleTogether(options: RunOptions, collectives: Collectives): Promise<Training<ViTImageProcessor>> {
  const training = await together(collectives, assemble(options))
  await requireSameData(collectives, training.data)
  return training
}

function observedRun(trainer: Trainer, { data, model }: Training, { observers = [] }: RunOptions): Run {
  for (const observer of observers) trainer.observe(observer)
  return { trainer, data, model, parameters: model.countParameters() }
}
