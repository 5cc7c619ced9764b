/** The options that all commands that train a run have, and what their help says of them. */
import type { parseArgs } from 'node:util'
import { backendOption, maxPixelsOption } from '../command.ts'
import { recipeOptions } from '../recipe-option.ts'

type Text = { type: 'string' }
type Flag = { type: 'boolean' }

type TrainingOptions = typeof backendOption &
  typeof maxPixelsOption &
  typeof recipeOptions & { [option in TextName]: Text } & { [option in FlagName]: Flag } & {
    'checkpoint-every': Text & { default: string }
    'keep-checkpoints': Text & { default: string }
  }

type FlagName = 'download' | 'resume' | 'skip-broken' | 'tensorboard'
type TextName =
  | ('out' | 'dashboard' | 'nproc' | 'nnodes' | 'hosts')
  | ('max-restarts' | 'min-nproc' | 'master-port' | 'timeout')

const text: Text = { type: 'string' }
const flag: Flag = { type: 'boolean' }

export const trainingOptions: TrainingOptions = {
  ...backendOption,
  ...maxPixelsOption,
  ...recipeOptions,
  ...{ out: text, dashboard: text, nproc: text, nnodes: text, hosts: text },
  ...{ 'max-restarts': text, 'min-nproc': text, 'master-port': text, timeout: text },
  ...{ download: flag, resume: flag, 'skip-broken': flag, tensorboard: flag },
  'checkpoint-every': { type: 'string', default: '10min' },
  'keep-checkpoints': { type: 'string', default: '2' },
}

export type TrainingValues = ReturnType<typeof parseArgs<{ options: TrainingOptions & { json: Flag } }>>['values']

/** @param folder what the run's folder is called when none is given */
export const trainingHelp = (
  folder: string,
): string => `  --skip-broken      leaves out images that cannot be decoded, and says which
  --max-pixels N     larger images are refused (67108864, 8192 × 8192)
  --out DIR          folder of the run: best/ and last/ (model folders), report.html,
                     evaluation.json, metrics.jsonl, recipe.json, checkpoints/ (${folder})
  --resume           resumes the run in --out, exactly where it stopped; --epochs may be more than before
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
  --json             {out, finished, epochs, steps, seconds, best: {epoch, accuracy, loss}, test: {accuracy, loss}},
                     with meanAveragePrecision where images may have several classes, stoppedEarly, skippedSteps
  --help             this text

Ctrl-C finishes the step, saves the state and says how to go on.

Started once for each process by torchrun, mpirun or a cluster's launcher (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
MASTER_PORT), all train one model: the recipe's batchSize is that of all together, and the result that of one process.
Under Slurm, srun on one machine needs no MPI; over several use --nnodes inside an allocation, or srun --mpi=pmix.
VITRAL_COLLECTIVES chooses what sums their gradients: local (shared memory), mpi, or nccl (a CUDA device for each).`

/** A port need not be given; where it is, it is a number. */
export const withDashboardPort = (args: string[]): string[] =>
  args.map((arg, i) => (arg === '--dashboard' && !/^\d+$/.test(args[i + 1] ?? '') ? '--dashboard=6060' : arg))
