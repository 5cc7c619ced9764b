/** `vitral train`: a recipe, data and a folder in; a trained model out. */
import { basename } from 'node:path'
import { jsonLine, type ParameterCounts, printable, useBackend, WriteError } from '@vitral/core'
import type { CheckpointOptions } from '../checkpoint.ts'
import { startDashboard } from '../dashboard/dashboard.ts'
import type { TrainingData } from '../data.ts'
import { isLaunched } from '../ddp/end-with-launcher.ts'
import { together } from '../ddp/exchange.ts'
import { shareProcessors } from '../ddp/share-processors.ts'
import { datasetNames } from '../open-dataset.ts'
import { createProgress, duration } from '../progress.ts'
import { recipes } from '../recipes/index.ts'
import { startRun } from '../run.ts'
import type { TrainingResult } from '../training-events.ts'
import {
  backendOption,
  type Command,
  maxPixelsOf,
  maxPixelsOption,
  parse,
  percent,
  print,
  reasonOf,
  wholeNumber,
} from './command.ts'
import { download, showDownload } from './download.ts'
import { exitCodeOf, inProcessGroup } from './in-process-group.ts'
import { isLaunch, launchTraining } from './launch-training.ts'
import { recipeOf, recipeOptions } from './recipe-option.ts'
import { resumeCommand } from './resume-command.ts'
import { showTraining } from './show-training.ts'

const options = {
  ...backendOption,
  ...maxPixelsOption,
  ...recipeOptions,
  data: { type: 'string', default: 'data' },
  out: { type: 'string' },
  download: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  'checkpoint-every': { type: 'string', default: '10min' },
  'keep-checkpoints': { type: 'string', default: '2' },
  'skip-broken': { type: 'boolean', default: false },
  tensorboard: { type: 'boolean', default: false },
  dashboard: { type: 'string' },
  nproc: { type: 'string' },
  nnodes: { type: 'string' },
  hosts: { type: 'string' },
  'max-restarts': { type: 'string' },
  'min-nproc': { type: 'string' },
  'master-port': { type: 'string' },
  timeout: { type: 'string' },
} as const

export const train: Command = {
  summary: 'trains a model by a recipe',
  goesOnUnread: true,
  help: `Usage: vitral train RECIPE [--data PATH] [--out DIR] [OPTIONS]

RECIPE is ${Object.keys(recipes).join(', ')}, or the path of a module that exports one.

  --data PATH        where the data set is (data): its folder, or the file of a manifest
  --dataset NAME     another than the recipe's: ${datasetNames.join(', ')}
  --download         downloads the data set to --data first, unless it is there
  --skip-broken      leaves out images that cannot be decoded, and says which
  --max-pixels N     larger images are refused (67108864, 8192 × 8192)
  --out DIR          folder of the run: best/ (a model folder), report.html,
                     evaluation.json, metrics.jsonl, recipe.json, checkpoints/ (runs/RECIPE)
  --resume           goes on with the run in --out, exactly where it stopped
  --tensorboard      also writes event files, which TensorBoard shows: tensorboard --logdir DIR
  --dashboard [PORT] shows the run on a page of this machine while it goes on, at http://127.0.0.1:PORT (6060)
  --checkpoint-every N|Nmin    saves the state also within an epoch, after so many steps or minutes (10min)
  --keep-checkpoints N         of which the newest whole one is gone on from (2)
  --set KEY=VALUE    sets a field of the recipe, such as optimizer.lr=3e-4; may be repeated
                     fineTune=head, fineTune.lastLayers=2 or fineTune.lora.rank=8 trains a part of the model
  --epochs N  --batch-size N  --lr X  --precision float32|bfloat16  --seed N    the same for these fields
  --nproc N          trains in so many processes on this machine; the result is that of one
  --hosts A,B,…      trains on these machines, --nproc processes on each, through the MPI that is installed on all
  --nnodes M         on so many machines; without --hosts those that a cluster's scheduler has given this job
  --max-restarts K   when one of them fails, starts all again from the last checkpoint, K times at most (0)
  --min-nproc M      with each restart one process fewer, down to M (N: always as many)
  --timeout SECONDS  a process that is silent so long is given up (600)
  --master-port N    names the run on this machine (one that is free)
  --backend NAME     auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --json             {out, finished, epochs, steps, seconds, best: {epoch, accuracy, loss}, test: {accuracy, loss}}
  --help             this text

Ctrl-C finishes the step, saves the state and says how to go on.

Started once for each process by torchrun, mpirun or a cluster's launcher (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
MASTER_PORT), all train one model: the recipe's batchSize is that of all together, and the result that of one process.
Under Slurm, srun on one machine needs no MPI; over several use --nnodes inside an allocation, or srun --mpi=pmix.
VITRAL_COLLECTIVES chooses what sums their gradients: local (shared memory), mpi, or nccl (a CUDA device for each).`,

  async run(args) {
    const { values, positionals } = parse(withDashboardPort(args), options)
    const { name, recipe } = await recipeOf(positionals, values)
    const { out = `runs/${basename(name).replace(/\.[^.]+$/, '')}`, data: folder, resume } = values
    if (isLaunch(values) && !isLaunched()) return launchTraining(args, out, values)
    const checkpoints = checkpointOptions(values)
    const { name: backend, passedOver } = await useBackend(values.backend as 'auto')
    if (backend === 'native') await shareProcessors(process.env)

    return await inProcessGroup('train', async ({ collectives, localRank }, signal) => {
      const { rank, worldSize } = collectives
      const isFirst = rank === 0
      const progress = createProgress(isFirst ? {} : { stream: silent })
      const warn = isFirst ? progress.say : (line: string) => console.error(`rank ${rank}: ${line}`)
      const dashboard =
        values.dashboard && isFirst
          ? await startDashboard({ port: wholeNumber(values.dashboard, '--dashboard', 0) })
          : undefined
      let ending = 'failed'
      try {
        if (dashboard) progress.say(`The dashboard is at ${dashboard.url}`)
        for (const other of passedOver) progress.say(`The backend ${other.name} is not used: ${other.reason}`)
        if (values.download) {
          const isTheirs = localRank > 0 // of another process of this machine
          await together(collectives, isTheirs ? noWork : download(recipe.dataset, folder, progress, signal))
        }
        const { trainer, data, parameters } = await startRun({
          recipe,
          data: folder,
          out,
          resume,
          tensorboard: values.tensorboard,
          checkpoints,
          onDamaged: reason => progress.say(printable(reason)),
          onSkipped: values['skip-broken'] ? reason => warn(`Left out: ${reasonOf(reason)}`) : undefined,
          maxPixels: maxPixelsOf(values),
          hub: { onProgress: showDownload(progress) },
          collectives,
        })
        for (const line of data.understood ?? []) progress.say(line)
        progress.say(
          `${resume ? 'Going on with' : 'Training'} ${name} on ${data.trainImages} images, ${worldSize > 1 ? `${worldSize} processes, ` : ''}backend ${backend}; ${data.stepsPerEpoch} steps an epoch. ${trainedShare(parameters)}`,
        )
        trainer.observe(showTraining(progress, recipe, data))
        if (dashboard) trainer.observe(dashboard.observe({ out, recipe, data }))
        const result = await trainer.train(signal)
        await trainer.close()
        ending = result.finished ? 'finished' : 'stopped'
        progress.end()
        if (!isFirst) return result.finished ? 0 : exitCodeOf(signal)
        if (values.json) print(jsonLine({ out, ...result }))
        else if (result.finished && result.best) print(summary(result, result.best, data, out))
        if (result.finished) return 0
        progress.say(
          `Stopped after step ${result.steps}; the state is saved. To go on:\n\n  ${resumeCommand('train', args)}\n`,
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
  },
}

const noWork = Promise.resolve()

/** Of several processes the first alone shows what they do. */
const silent = { write: () => {} }

/** A port need not be given; where it is, it is a number. */
const withDashboardPort = (args: string[]): string[] =>
  args.map((arg, i) => (arg === '--dashboard' && !/^\d+$/.test(args[i + 1] ?? '') ? '--dashboard=6060' : arg))

/** @throws unless N is a whole number of steps, or a number of minutes */
function checkpointOptions(values: { 'checkpoint-every': string; 'keep-checkpoints': string }): CheckpointOptions {
  const every = values['checkpoint-every']
  const [, number, unit] = /^(\d+(?:\.\d+)?)(min)?$/.exec(every) ?? []
  const amount = Number(number)
  if (!(amount > 0 && (unit || Number.isInteger(amount))))
    throw new Error(
      `--checkpoint-every is '${every}'; expected a number of steps such as 500, or of minutes such as 10min.`,
    )
  return {
    keep: wholeNumber(values['keep-checkpoints'], '--keep-checkpoints', 1),
    every: unit ? { minutes: amount } : { steps: amount },
  }
}

const summary = (
  { seconds, test }: TrainingResult,
  { accuracy, epoch }: NonNullable<TrainingResult['best']>,
  data: TrainingData,
  out: string,
): string => {
  const tested = test ? `, and ${percent(test.accuracy)} of ${data.test?.images} test images` : ''
  return `Best: ${percent(accuracy)} of ${data.evaluationImages} held-out images, after epoch ${epoch}${tested}. Took ${duration(seconds)}. Model: ${out}/best, report: ${out}/report.html`
}

const trainedShare = ({ trainable, total }: ParameterCounts): string =>
  trainable === total
    ? `All ${count(total)} parameters train.`
    : `${count(trainable)} of ${count(total)} parameters train, ${percent(trainable / total)}.`

const count = (number: number): string => number.toLocaleString('en-US')
