/** What `vitral train` and `vitral finetune` do once the recipe is known: train, alone or in several processes. */

import type { ParameterCounts } from '@vitral/core'
import { WriteError } from '@vitral/core/files'
import { jsonLine, percent, printable } from '@vitral/core/text'
import { startDashboard } from '../../dashboard/dashboard.ts'
import type { TrainingData } from '../../data/training-data.ts'
import { isLaunched } from '../../ddp/end-with-launcher.ts'
import { together } from '../../ddp/exchange.ts'
import { threadsHere } from '../../ddp/share-processors.ts'
import type { Judged } from '../../evaluation/choose-best.ts'
import { count, duration } from '../../format.ts'
import type { Recipe } from '../../recipe/types.ts'
import { describeAddedEpochs } from '../../run/added-epochs.ts'
import type { TrainingResult } from '../../run/events.ts'
import { startRun } from '../../run/start-run.ts'
import { print, reasonOf } from '../command.ts'
import { download, showDownload } from '../download.ts'
import { createProgress } from '../progress.ts'
import { startBackend } from '../start-backend.ts'
import { exitCodeOf, inProcessGroup } from './in-process-group.ts'
import { isLaunch, launchTraining } from './launch-training.ts'
import { resumeCommand } from './resume-command.ts'
import { showTraining } from './show-training.ts'
import type { TrainingValues } from './training-options.ts'

export interface TrainingRequest {
  /** Name of the command, and its arguments as they were given. */
  command: string
  args: string[]
  values: TrainingValues
  /** What is trained, in messages. */
  name: string
  recipe: Recipe
  /** Where the data set lies. */
  data: string
  /** The run's folder. */
  out: string
  /** Lines after the result of a run that is at its end. */
  then?: readonly string[]
}

/** @returns the code to exit with */
export async function runTraining({ data: place, then = [], ...request }: TrainingRequest): Promise<number> {
  const { command, args, values, name, recipe, out } = request
  const { resume } = values
  if (isLaunch(values) && !isLaunched()) return launchTraining(command, args, out, values)
  const checkpoints = { every: values['checkpoint-every'], keep: values['keep-checkpoints'] }
  const { name: backend, passedOver } = await startBackend(values.backend, { threads: threadsHere(process.env) })

  return await inProcessGroup(command, async ({ collectives, localRank }, signal) => {
    const { rank, worldSize } = collectives
    const isFirst = rank === 0
    const progress = createProgress(isFirst ? {} : { stream: silent })
    const warn = isFirst ? progress.say : (line: string) => console.error(`rank ${rank}: ${line}`)
    const dashboard =
      values.dashboard !== undefined && isFirst ? await startDashboard({ port: values.dashboard }) : undefined
    let ending = 'failed'
    try {
      if (dashboard) progress.say(`The dashboard is at ${dashboard.url}`)
      for (const other of passedOver) progress.say(`Skipping backend ${other.name}: ${other.reason}`)
      if (values.download) {
        const isTheirs = localRank > 0 // of another process of this machine
        await together(collectives, isTheirs ? noWork : download(recipe.dataset, place, progress, signal))
      }
      const { trainer, data, parameters, added } = await startRun({
        recipe,
        data: place,
        out,
        resume,
        tensorboard: values.tensorboard,
        checkpoints,
        onDamaged: reason => progress.say(printable(reason)),
        onSkipped: values['skip-broken'] ? reason => warn(`Left out: ${reasonOf(reason)}`) : undefined,
        maxPixels: values['max-pixels'],
        hub: { onProgress: showDownload(progress) },
        collectives,
      })
      for (const line of data.understood ?? []) progress.say(line)
      progress.say(
        `${resume ? 'Resuming' : 'Training'} ${name} on ${data.trainImages} images, ${worldSize > 1 ? `${worldSize} processes, ` : ''}backend ${backend}; ${data.stepsPerEpoch} steps an epoch. ${trainedShare(parameters)}`,
      )
      if (added) progress.say(describeAddedEpochs(added, recipe))
      trainer.observe(showTraining(progress, recipe, data))
      if (dashboard) trainer.observe(dashboard.observe({ out, recipe, data }))
      const result = await trainer.train(signal)
      await trainer.close()
      ending = result.finished ? 'finished' : 'stopped'
      progress.end()
      if (!isFirst) return result.finished ? 0 : exitCodeOf(signal)
      if (values.json) print(jsonLine({ out, ...result }))
      else if (result.finished && result.best) print([summary(result, result.best, data, out), ...then].join('\n'))
      if (result.finished) return 0
      progress.say(
        `Stopped after step ${result.steps}; the state is saved. To go on:\n\n  ${resumeCommand(command, args)}\n`,
      )
      return exitCodeOf(signal)
    } catch (error) {
      if (signal.aborted && !(error instanceof WriteError)) {
        ending = 'stopped'
        progress.say(`Stopped by ${signal.reason}.`)
      }
      throw error
    } finally {
      progress.end()
      await dashboard?.close(ending)
    }
  })
}

const noWork = Promise.resolve()

/** The output of all processes but the first, which alone shows what they do. */
const silent = { write: () => {} }

const summary = (
  { seconds, test }: TrainingResult,
  best: NonNullable<TrainingResult['best']>,
  data: TrainingData,
  out: string,
): string => {
  const tested = test ? `, and ${told(test)} ${data.test?.images} test images` : ''
  return `Best: ${told(best)} ${data.evaluationImages} validation images, after epoch ${best.epoch}${tested}. Took ${duration(seconds)}. Model: ${out}/best, report: ${out}/report.html`
}

const told = (judged: Judged): string =>
  judged.meanAveragePrecision === undefined
    ? `${percent(judged.accuracy)} of`
    : `mean average precision ${percent(judged.meanAveragePrecision)} on`

const trainedShare = ({ trainable, total }: ParameterCounts): string =>
  trainable === total
    ? `All ${count(total)} parameters train.`
    : `${count(trainable)} of ${count(total)} parameters train, ${percent(trainable / total)}.`
