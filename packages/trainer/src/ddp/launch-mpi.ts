/** Starts the processes of one training run on several machines: through the mpirun that is installed. */
import { spawnSync } from 'node:child_process'
import { endAfterRanks } from './end-after-ranks.ts'
import { launcherVariables } from './end-with-launcher.ts'
import { exitCodes, type Interrupt } from './interrupt.ts'
import { type RankEnd, type RankProcess, startRank } from './rank-process.ts'
import { removeMpiFiles } from './remove-mpi-files.ts'
import { type SuperviseOptions, supervise, timeoutOf, toStandardError } from './supervise.ts'

export interface LaunchMpiOptions extends Omit<SuperviseOptions, 'start' | 'describe'> {
  /** What each process runs, at the same path on every machine. */
  command: string
  /** @param attempt 0 at first, then of each restart */
  args: (attempt: number) => readonly string[]
  /** Processes on each machine. */
  nproc: number
  /** How many machines. */
  nnodes: number
  /** Their names or addresses, as ssh knows them. @default those that the cluster has given this job */
  hosts?: readonly string[]
}

/**
 * Runs `nproc` processes of a command on each of `nnodes` machines under mpirun, which starts them, carries what they say
 * and ends them together. VITRAL_MPIRUN names another mpirun than PATH's.
 *
 * @returns the code to exit with: mpirun's, which is that of the first process that failed
 * @throws when there is no mpirun
 */
export async function launchMpi(options: LaunchMpiOptions): Promise<number> {
  const { command, args, say = toStandardError } = options
  const timeout = timeoutOf(options)
  const mpirun = process.env.VITRAL_MPIRUN || 'mpirun'
  const family = familyOf(mpirun)
  const start = (attempt: number) => {
    const env = {
      RESTART_COUNT: String(attempt),
      VITRAL_COLLECTIVES_TIMEOUT: String(timeout),
      ...launcherVariables(),
      VITRAL_COLLECTIVES: process.env.VITRAL_COLLECTIVES === 'nccl' ? 'nccl' : 'mpi', // also met by mpirun
    }
    const mpirunArgs = placementArgs[family](options, Object.keys({ ...process.env, ...env }))
    const program = [...mpirunArgs, command, ...args(attempt)]
    // It hands its environment on, but no channel.
    const started = startRank(mpirun, program, { name: '', rank: 0, say, env, channel: false })
    endAfterRanks(started)
    return [stoppable(removeMpiFiles(started), stopSignals[family])]
  }
  return await supervise({ ...options, timeout, start, describe })
}

type Family = 'openMpi' | 'mpich'

function familyOf(mpirun: string): Family {
  const { stdout, error } = spawnSync(mpirun, ['--version'], { encoding: 'utf8' })
  if (error)
    throw new Error(
      `Several machines need an MPI on each, and ${mpirun} cannot be started here (${error.message}). On Debian: apt-get install openmpi-bin. VITRAL_MPIRUN names another mpirun.`,
    )
  return /Open MPI|OpenRTE/.test(stdout) ? 'openMpi' : 'mpich'
}

/** How each is told where the processes go; variables that are the run's go with them. */
const placementArgs: Record<Family, (options: LaunchMpiOptions, variables: readonly string[]) => string[]> = {
  openMpi: ({ nproc, nnodes, hosts }, variables) => [
    ...['-n', String(nproc * nnodes), '--map-by', `ppr:${nproc}:node`, '--bind-to', 'none'],
    ...(hosts ? ['--host', hosts.map(host => `${host}:${nproc}`).join()] : []),
    ...variables.filter(isForAll).flatMap(name => ['-x', name]),
  ],
  // It passes all variables on.
  mpich: ({ nproc, nnodes, hosts }) => [
    ...['-n', String(nproc * nnodes), '-ppn', String(nproc)],
    ...(hosts ? ['-hosts', hosts.join()] : []),
  ],
}

const isForAll = (name: string): boolean => /^(VITRAL_|HF_)|^(OMP_NUM_THREADS|RESTART_COUNT)$/.test(name)

/** Open MPI's would end the processes a second after a SIGTERM, while they save; this one it passes on. */
const stopSignals: Partial<Record<Family, NodeJS.Signals>> = { openMpi: 'SIGUSR2' }

/** Processes that are asked to stop do so after the same step; not every mpirun passes on their exit codes. */
function stoppable({ kill, ended, ...rest }: RankProcess, stopSignal?: NodeJS.Signals): RankProcess {
  let asked: Interrupt | undefined
  return {
    ...rest,
    kill(signal) {
      if (signal === 'SIGKILL') return kill(signal)
      asked = signal as Interrupt
      kill(stopSignal ?? signal)
    },
    ended: ended.then(end => (asked && !end.signal ? { ...end, code: exitCodes[asked] } : end)),
  }
}

const describe = ({ code }: RankEnd): string => `mpirun ended with code ${code}; what failed is said above.`
