/** Which of several processes this is, by the environment, and how it joins the others: torch's init_process_group. */
import { version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { parseInteger } from '../numbers.ts'
import { vitralVersion } from '../version.ts'
import { alone, type Collectives } from './collectives.ts'
import { isLaunchersChild, secondsWithoutLauncher } from './end-with-launcher.ts'
import { requireMpiOf, slurmStep } from './slurm.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** The processes that train together, as one of them sees them. */
export interface ProcessGroup {
  /** The caller's to close. */
  collectives: Collectives
  /** Which of the processes of this machine this is, from 0. */
  localRank: number
}

export interface Placement {
  engine: string
  rank: number
  worldSize: number
  localRank: number
  /** MASTER_ADDR:MASTER_PORT, which names the run. */
  id: string
  /** Milliseconds. */
  timeout?: number
  /** How the processes find each other, whatever sums: shared memory of one machine, or mpirun. */
  meet: 'local' | 'mpi'
}

/** What torchrun sets, and otherwise what Open MPI, MPICH and Slurm's srun set. */
const places = [
  { engine: 'local', rank: 'RANK', worldSize: 'WORLD_SIZE', localRank: 'LOCAL_RANK' },
  {
    engine: 'mpi',
    rank: 'OMPI_COMM_WORLD_RANK',
    worldSize: 'OMPI_COMM_WORLD_SIZE',
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
  },
  { engine: 'mpi', rank: 'PMI_RANK', worldSize: 'PMI_SIZE', localRank: 'MPI_LOCALRANKID' },
] as const

/** On one machine no MPI is needed. */
const slurmPlace = (nodes: number) =>
  ({
    engine: nodes === 1 ? 'local' : 'mpi',
    ...{ rank: 'SLURM_PROCID', worldSize: 'SLURM_STEP_NUM_TASKS', localRank: 'SLURM_LOCALID' },
  }) as const

/**
 * Reads RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT as torchrun sets them, or what mpirun or srun sets instead of
 * them; VITRAL_COLLECTIVES chooses the engine and VITRAL_COLLECTIVES_TIMEOUT says how many seconds it waits.
 *
 * @returns nothing where there is one process alone
 * @throws naming a variable that is missing, or not a number in its range
 */
export function placementOf(env: Variables): Placement | undefined {
  const step = env.WORLD_SIZE ? undefined : slurmStep(env)
  const names = step ? slurmPlace(step.nodes) : places.find(({ worldSize }) => env[worldSize])
  if (!names) {
    const other = ['RANK', 'LOCAL_RANK'].find(name => env[name])
    if (other) throw new Error(`${other} is set to '${env[other]}', but WORLD_SIZE is not; set both, or neither.`)
    return undefined
  }
  const worldSize = parseInteger(names.worldSize, env[names.worldSize], 1)
  const rank = parseInteger(names.rank, env[names.rank], 0, worldSize - 1)
  if (worldSize === 1) return undefined
  const localRank = env[names.localRank] ? parseInteger(names.localRank, env[names.localRank], 0, worldSize - 1) : rank
  const engine = env.VITRAL_COLLECTIVES || names.engine
  const meet = engine === 'nccl' ? names.engine : engine === 'mpi' ? 'mpi' : 'local'
  if (step && meet === 'mpi') requireMpiOf(step)
  const processesHere = step?.processesHere ?? Number(env.LOCAL_WORLD_SIZE)
  if (meet === 'local' && processesHere > 0 && processesHere < worldSize)
    throw new Error(
      `${names.worldSize} is ${worldSize}, and only ${step ? processesHere : `LOCAL_WORLD_SIZE, ${processesHere},`} of these processes are on this machine; shared memory joins those of one machine alone. For several machines start them with mpirun, or with vitral train --hosts A,B --nproc ${processesHere}.`,
    )
  const needsMaster = meet !== 'mpi' && !step // mpirun's processes know each other, and those of a step its name
  if (needsMaster || env.MASTER_PORT) parseInteger('MASTER_PORT', env.MASTER_PORT, 1, 65535)
  if (needsMaster && !env.MASTER_ADDR)
    throw new Error(
      'MASTER_ADDR is not set; expected the name or address of the machine of rank 0, the same for all ranks.',
    )
  const timeout = env.VITRAL_COLLECTIVES_TIMEOUT
  if (timeout && !(Number(timeout) > 0))
    throw new Error(`VITRAL_COLLECTIVES_TIMEOUT is '${timeout}'; expected seconds, a number above 0.`)
  return {
    ...{ engine, rank, worldSize, localRank, meet },
    id: step?.id ?? `${env.MASTER_ADDR ?? 'mpirun'}:${env.MASTER_PORT ?? 0}`,
    timeout: timeout ? Number(timeout) * 1000 : undefined,
  }
}

/**
 * Joins the other processes of a training run, or none where the environment names none.
 *
 * @param options.signal ends the waiting for the others
 * @throws when the environment is wrong, another process does not come, or it has another version of Vitral or tfjs
 * @example
 * const { collectives } = await connectProcessGroup(process.env)
 * const { trainer } = await startRun({ recipe, data, out, collectives })
 * await trainer.train()
 * await collectives.close()
 */
export async function connectProcessGroup(
  env: Variables,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ProcessGroup> {
  const placement = placementOf(env)
  if (!placement) return { collectives: alone, localRank: 0 }
  const { engine, rank, worldSize, localRank, id, timeout, meet } = placement
  const { connect, endWithParent } = await import('@vitral/backend-node/collectives').catch((cause: Error) => {
    throw new Error(
      `WORLD_SIZE is ${worldSize}, but what joins processes cannot be loaded; it is part of @vitral/backend-node. (${cause.message})`,
      { cause },
    )
  })
  const token = `vitral ${vitralVersion}, tfjs ${tfjsVersion}`
  if (isLaunchersChild()) endWithParent(secondsWithoutLauncher)
  const options = { rank, worldSize, localRank, meet, id, timeout, token, signal }
  const collectives = await connect(engine as Parameters<typeof connect>[0], options)
  return { collectives, localRank }
}
