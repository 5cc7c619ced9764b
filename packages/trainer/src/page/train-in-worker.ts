/** Training from a page: a worker trains, and the page hears of it. */
import type { BackendName } from '@vitral/core'
import type { Dataset, DatasetSource } from '@vitral/datasets'
import type { OwnData } from '../data/validation-split.ts'
import type { Recipe } from '../recipe/types.ts'
import type { CheckpointOptions } from '../run/checkpoint.ts'
import type { TrainingResult } from '../run/events.ts'
import type { FineTuneRequest, FromWorker, PageReports, SentError, SentRun, ToWorker } from './messages.ts'

/** What `trainInWorker` is to train, and what is told of it: the functions of `PageReports`. */
export interface TrainInWorkerOptions extends Partial<{ [E in keyof PageReports]: (report: PageReports[E]) => void }> {
  /** A recipe; or the model to fine-tune, what of it and how, from which the worker makes one. */
  recipe: Recipe | FineTuneRequest
  /** A data set that workers can open again, of which the recipe's share chooses the best model; or each part. */
  data: Dataset | OwnData
  /** Folder of the run in this site's storage (OPFS). */
  out: string
  /** Go on with the run that is there. @default false */
  resume?: boolean
  /** Backend that computes. @default 'auto' */
  backend?: 'auto' | BackendName
  /** Threads that load images. @default 0, or half the processors when the images must be resized */
  workers?: number
  /** Leaves images out that cannot be decoded, up to 1 % of them, and tells `onWarning`. @default false */
  skipBroken?: boolean
  /** Whether to write event files for TensorBoard into the run's folder. @default false */
  tensorboard?: boolean
  /** How often, and how many of them stay. */
  checkpoints?: CheckpointOptions
}

/** A run that a worker trains. */
export interface WorkerTraining {
  /** The end of the run, or of the part of it until `stop`. @throws what went wrong, with its message */
  readonly done: Promise<TrainingResult>
  /** Holds the run after the step under way. */
  pause(): void
  /** Goes on after `pause`. */
  resume(): void
  /** Ends it after the step under way, with its state saved: it can be resumed. */
  stop(): void
}

/** Those that train. */
const busy = new WeakSet<Worker>()

/**
 * Trains in a worker, so that the page stays as quick as it is; the worker's module calls `serveTraining`. The run's
 * folder is in this site's storage, and a run whose tab was closed or killed goes on from there with `resume`, to the
 * same bits. The worker is the caller's to terminate; it can train again after `done`.
 *
 * @throws when the worker trains already, or the data has no source by which it could open it
 * @example
 * const worker = new Worker(new URL('./train.worker.js', import.meta.url), { type: 'module' })
 * const training = trainInWorker(worker, {
 *   recipe: { model: 'google/vit-base-patch16-224', tune: 'lora' },
 *   data: imageBlobs({ cat: catFiles, dog: dogFiles }),
 *   out: 'runs/pets',
 *   onStep: ({ step, loss }) => console.log(step, loss),
 * })
 * const { best } = await training.done
 */
export function trainInWorker(worker: Worker, options: TrainInWorkerOptions): WorkerTraining {
  if (busy.has(worker)) throw new Error('The worker trains already; wait for its run to be done, or start another one.')
  const run = sentRun(options)
  const tell = (message: ToWorker): void => worker.postMessage(message)
  busy.add(worker)
  const done = resultOf(worker, options).finally(() => busy.delete(worker))
  tell({ start: run })
  return {
    done,
    pause: () => tell({ order: 'pause' }),
    resume: () => tell({ order: 'resume' }),
    stop: () => tell({ order: 'stop' }),
  }
}

function sentRun(options: TrainInWorkerOptions): SentRun {
  const { recipe, data, out, resume = false, backend = 'auto' } = options
  const { workers, skipBroken = false, tensorboard = false, checkpoints } = options
  const own: OwnData = 'train' in data ? data : { train: data }
  const { validation, test } = own
  return {
    ...{ recipe, out, resume, backend, workers, skipBroken, tensorboard, checkpoints },
    data: {
      train: sourceOf(own.train, 'train'),
      ...(validation && { validation: sourceOf(validation, 'validation') }),
      ...(test && { test: sourceOf(test, 'test') }),
    },
  }
}

function sourceOf({ source }: Dataset, part: string): DatasetSource {
  if (source) return source
  throw new Error(
    `The data set for ${part} has no source by which the worker could open it again; expected one of imageBlobs, memoryDataset or packedDataset, or of a module of your own as its source.`,
  )
}

/** Settles at the end of the run, and tells of what comes before. */
function resultOf(worker: Worker, options: TrainInWorkerOptions): Promise<TrainingResult> {
  return new Promise<TrainingResult>((resolve, reject) => {
    const end = new AbortController()
    const { signal } = end
    const settle = (finish: () => void): void => {
      end.abort()
      finish()
    }
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<FromWorker>) => {
        if ('result' in data) settle(() => resolve(data.result))
        else if ('error' in data) settle(() => reject(fromSent(data.error)))
        else if ('event' in data) options[data.event]?.(data.report as never)
      },
      { signal },
    )
    worker.addEventListener(
      'error',
      event => {
        event.preventDefault()
        const why = event.message ?? 'its script cannot be loaded; expected a module that calls serveTraining'
        settle(() => reject(new Error(`The worker that trains failed: ${why}.`)))
      },
      { signal },
    )
  })
}

const fromSent = ({ name, message, stack }: SentError): Error => Object.assign(new Error(message), { name, stack })
