/** What Slurm's srun says to the processes of a job step. */

type Variables = Readonly<Record<string, string | undefined>>

export interface SlurmStep {
  /** How many machines the step's processes are on. */
  nodes: number
  /** How many of them are on this one. */
  processesHere: number
  /** Names the step among all on a machine. */
  id: string
  /** Whether srun serves an MPI, which would otherwise end the process when it begins. */
  servesMpi: boolean
}

/**
 * A batch script has SLURM_NTASKS too, and is one process; what an mpirun started, in a step of its own daemons, is that
 * mpirun's.
 *
 * @returns nothing for a process that srun itself did not start
 */
export function slurmStep(env: Variables): SlurmStep | undefined {
  if (!env.SLURM_STEP_NUM_TASKS || env.OMPI_COMM_WORLD_SIZE || env.MPI_LOCALRANKID) return undefined
  const nodes = Number(env.SLURM_STEP_NUM_NODES || env.SLURM_NNODES) || 1
  const perNode = tasksPerNode(env.SLURM_STEP_TASKS_PER_NODE ?? '')
  const all = nodes === 1 ? Number(env.SLURM_STEP_NUM_TASKS) : undefined
  return {
    nodes,
    processesHere: all ?? perNode[Number(env.SLURM_NODEID)] ?? 1,
    id: ['slurm', env.SLURM_JOB_ID, env.SLURM_STEP_ID, env.SLURM_RESTART_COUNT ?? 0].join('-'),
    servesMpi: Boolean(env.PMIX_NAMESPACE || env.PMI_FD),
  }
}

/** '2(x3),1' is 2, 2, 2, 1. */
function tasksPerNode(text: string): number[] {
  return [...text.matchAll(/(\d+)(?:\(x(\d+)\))?/g)].flatMap(([, tasks, nodes = '1']) =>
    Array.from({ length: Math.min(Number(nodes), 100_000) }, () => Number(tasks)),
  )
}

/** @throws where the step's processes can only be joined by an MPI, and srun does not serve one */
export function requireMpiOf({ nodes, servesMpi }: SlurmStep): void {
  if (servesMpi) return
  const over = nodes > 1 ? `over ${nodes} machines` : 'with VITRAL_COLLECTIVES=mpi'
  throw new Error(
    `srun ${over} was started without --mpi, so no MPI can join its processes. Start vitral train --nnodes ${nodes} --nproc N inside an allocation (salloc or sbatch, without srun), which uses mpirun; or srun --mpi=pmix with an MPI that has PMIx (on Debian: apt-get install libpmix-dev on every machine).`,
  )
}
