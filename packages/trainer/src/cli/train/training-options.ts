/** The options that all commands that train a run have, and what their help says beside them. */
import { isInteger } from '@vitral/core/check'
import { defaultTimeout } from '../../ddp/supervise.ts'
import { type CheckpointOptions, checkpointDefaults } from '../../run/checkpoint.ts'
import { backendOption, dataOptions, maxPixelsOption } from '../command.ts'
import { type common, flag, integer, type Option, parsed, text, type Values } from '../options.ts'
import { recipeOptions } from '../recipe-option.ts'

type Whole = Option<number | undefined>
type Text = Option<string | undefined>

interface OwnOptions {
  out: Text
  resume: Option<boolean>
  tensorboard: Option<boolean>
  dashboard: Whole
  'checkpoint-every': Option<CheckpointOptions['every']>
  'keep-checkpoints': Option<number>
  nproc: Whole
  hosts: Text
  nnodes: Whole
  'max-restarts': Whole
  'min-nproc': Whole
  timeout: Whole
  'master-port': Whole
}

type TrainingOptions = Pick<typeof dataOptions, 'download' | 'skip-broken'> &
  typeof maxPixelsOption &
  typeof recipeOptions &
  typeof backendOption & { [name in keyof OwnOptions]: OwnOptions[name] }

export type TrainingValues = Values<TrainingOptions & typeof common>

/** @param folder what the run's folder is called when none is given */
export const trainingOptions = (folder: string): TrainingOptions => ({
  download: dataOptions.download,
  'skip-broken': dataOptions['skip-broken'],
  ...maxPixelsOption,
  out: text({
    value: 'DIR',
    help: `folder of the run: best/ and last/ (model folders), report.html, evaluation.json, metrics.jsonl, recipe.json, checkpoints/ (${folder})`,
  }),
  resume: flag('resumes the run in --out, exactly where it stopped; --epochs may be more than before'),
  tensorboard: flag('also writes event files, which TensorBoard shows: tensorboard --logdir DIR'),
  dashboard: {
    ...integer({
      least: 0,
      help: 'shows the run on a page of this machine while it goes on, at http://127.0.0.1:PORT',
    }),
    ...{ value: '[PORT]', standard: dashboardPort, implied: { value: dashboardPort, unless: /^\d+$/ } },
  },
  'checkpoint-every': parsed(everyOf, {
    ...{ value: 'N|Nmin', default: `${checkpointDefaults.every.minutes}min` },
    help: 'saves the state also within an epoch, after so many steps or minutes',
  }),
  'keep-checkpoints': integer({
    default: checkpointDefaults.keep,
    help: 'of which the newest whole one is gone on from',
  }),
  ...recipeOptions,
  nproc: integer({ help: 'trains in so many processes on this machine; the result is that of one' }),
  hosts: text({
    value: 'A,B,…',
    help: 'trains on these machines, --nproc processes on each, through the MPI that is installed on all',
  }),
  nnodes: integer({
    value: 'M',
    help: "on so many machines; without --hosts those that a cluster's scheduler has given this job",
  }),
  'max-restarts': integer({
    ...{ least: 0, value: 'K' },
    help: 'when one of them fails, starts all again from the last checkpoint, K times at most (0)',
  }),
  'min-nproc': integer({
    value: 'M',
    help: 'with each restart one process fewer, down to M (--nproc: always as many)',
  }),
  timeout: integer({ value: 'SECONDS', help: `a process that is silent so long is given up (${defaultTimeout})` }),
  'master-port': integer({ most: 65535, help: 'names the run on this machine (one that is free)' }),
  ...backendOption,
})

const dashboardPort = '6060'

/** @throws unless it is a whole number of steps, or a number of minutes */
function everyOf(option: string, every: string): CheckpointOptions['every'] {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(min)?$/.exec(every) ?? []
  const amount = Number(number)
  if (!(amount > 0 && (unit || isInteger(amount))))
    throw new Error(`${option} is '${every}'; expected a number of steps such as 500, or of minutes such as 10min.`)
  return unit ? { minutes: amount } : { steps: amount }
}

export const trainingHelp: { json: string; after: string } = {
  json: '{out, finished, epochs, steps, seconds, best: {epoch, accuracy, loss}, test: {accuracy, loss}}, with meanAveragePrecision where images may have several classes, stoppedEarly, skippedSteps',
  after: `Ctrl-C finishes the step, saves the state and says how to go on.

Started once for each process by torchrun, mpirun or a cluster's launcher (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
MASTER_PORT), all train one model: the recipe's batchSize is that of all together, and the result that of one process.
Under Slurm, srun on one machine needs no MPI; over several use --nnodes inside an allocation, or srun --mpi=pmix.
VITRAL_COLLECTIVES chooses what sums their gradients: local (shared memory), mpi, or nccl (a CUDA device for each).`,
}
