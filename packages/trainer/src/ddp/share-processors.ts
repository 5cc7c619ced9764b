/** Divides a machine's processors between the processes of a training run that are on it. */

import { availableParallelism } from 'node:os'
import { isInteger } from '@vitral/core/check'
import { slurmStep } from './slurm.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** What torchrun and `launch` set, and otherwise Open MPI and MPICH. */
const localWorldSizes = ['LOCAL_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_SIZE', 'MPI_LOCALNRANKS']

/**
 * Threads for the kernels of this process: all processors by the number of processes on this machine. A user's
 * OMP_NUM_THREADS comes before it.
 *
 * @returns undefined where this process is alone
 */
export function threadsHere(env: Variables): number | undefined {
  const processes = processesHere(env)
  return processes === 1 ? undefined : threadsEach(processes, env.OMP_NUM_THREADS, processorsHere(env, processes))
}

export function processesHere(env: Variables): number {
  const step = env.LOCAL_WORLD_SIZE ? undefined : slurmStep(env)
  if (step) return step.processesHere
  const name = localWorldSizes.find(name => env[name])
  return Math.max(1, Number(name && env[name]) || 1)
}

export function threadsEach(processes: number, wanted?: string, processors: number = availableParallelism()): number {
  const threads = Number(wanted)
  return isInteger(threads, 1) ? threads : Math.max(1, Math.floor(processors / processes))
}

/**
 * The processors of all the processes here, by Slurm's allocation where there is one: a process that Slurm has bound to its
 * own sees only those.
 */
export function processorsHere(env: Variables, processes: number, visible: number = availableParallelism()): number {
  const allocated = slurmStep(env) ? Number(env.SLURM_CPUS_ON_NODE) : 0
  return allocated > 0 ? Math.min(visible * processes, allocated) : visible
}
