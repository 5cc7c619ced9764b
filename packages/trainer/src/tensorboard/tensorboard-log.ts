/** A run as event files that TensorBoard opens: `tensorboard --logdir runs` shows all runs side by side. */
import { disk } from '@vitral/core/files'
import { hostname } from '#platform'
import { type Evaluation, mainMetrics } from '../evaluation/evaluate.ts'
import type { Recipe } from '../recipe/types.ts'
import type { TrainingObserver } from '../run/events.ts'
import { type EventTime, fileVersion, markdown, scalars, sessionStart } from './event.ts'
import { frameRecord } from './record.ts'

/** Options of tensorboardLog. */
export interface TensorboardLogOptions {
  /** The run's recipe. */
  recipe: Recipe
  /** Steps trained before; what the folder's files say of later ones is done again, and TensorBoard is told so. */
  step: number
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number
}

/**
 * Begins a new event file in the folder; those of the run's earlier parts stay.
 *
 * Each step gives `train/loss`, `train/lr`, `train/images_per_second`, when gradients are clipped `train/grad_norm`, and
 * with a gradient scaler `train/skipped_steps`, the number that it left out so far; each evaluation `eval/accuracy`, `eval/top5`, `eval/loss` and `train/epoch_loss`; the test at the
 * end `test/accuracy`, `test/top5` and `test/loss`; where images may have several classes, `mean_average_precision` is in
 * the place of `top5`.
 *
 * @example
 * trainer.observe(await tensorboardLog('runs/a/tensorboard', { recipe, step: trainer.position.step }))
 */
export async function tensorboardLog(
  folder: string,
  { recipe, step: stepsBefore, now = Date.now }: TensorboardLogOptions,
): Promise<TrainingObserver> {
  await disk.makeFolder(folder)
  const earlier = await disk.list(folder)
  const path = disk.join(folder, nextFile(earlier, now()))
  const write = (event: Uint8Array): Promise<void> => disk.append(path, frameRecord(event))
  const at = (step: number): EventTime => ({ wallTime: now() / 1000, step })

  await write(fileVersion(at(0)))
  await write(sessionStart(at(stepsBefore + 1)))
  if (earlier.length === 0) await write(markdown(at(0), 'recipe/text_summary', indented(recipe)))
  let lastStep = stepsBefore
  return {
    onStep({ step, loss, lr, imagesPerSecond, gradNorm, skippedSteps }) {
      lastStep = step
      return write(
        scalars(at(step), {
          ...{ 'train/loss': loss, 'train/lr': lr, 'train/images_per_second': imagesPerSecond },
          ...(gradNorm !== undefined && { 'train/grad_norm': gradNorm }),
          ...(skippedSteps !== undefined && { 'train/skipped_steps': skippedSteps }),
        }),
      )
    },
    onEpoch({ step, trainLoss, evaluation }) {
      return write(scalars(at(step), { ...tagged('eval', evaluation), 'train/epoch_loss': trainLoss }))
    },
    onEvaluation({ step, evaluation }) {
      return write(scalars(at(step), tagged('eval', evaluation)))
    },
    onTest({ evaluation }) {
      return write(scalars(at(lastStep), tagged('test', evaluation)))
    },
  }
}

const tagged = (tag: string, evaluation: Evaluation): Record<string, number> =>
  Object.fromEntries(
    Object.entries({ ...mainMetrics(evaluation), loss: evaluation.loss }).map(([name, value]) => [
      `${tag}/${name}`,
      value,
    ]),
  )

/** TensorBoard reads the files of a folder by their names' order, so a later one gets a later second. */
function nextFile(earlier: readonly string[], time: number): string {
  const seconds = earlier.map(name => Number(name.match(/^events\.out\.tfevents\.(\d+)\./)?.[1] ?? 0))
  const second = seconds.reduce((latest, before) => Math.max(latest, before + 1), Math.floor(time / 1000))
  return `events.out.tfevents.${String(second).padStart(10, '0')}.${hostname()}`
}

/** The recipe as code in Markdown. */
const indented = (recipe: Recipe): string => JSON.stringify(recipe, null, 2).replaceAll(/^/gm, '    ')
