/** What several processes do together, in native code: sums of gradients, copies of parameters, meetings. */
import { createHash } from 'node:crypto'
import { checkInteger } from '@vitral/core/check'
import { type CollectivesAddon, type Group, loadCollectivesAddon } from './native/collectives-addon.ts'
import { mpiLibraries } from './native/mpi-libraries.ts'
import { ncclLibraries } from './native/nccl-libraries.ts'

/**
 * One process's part in the collectives of a run; `Collectives` of @vitral/trainer says what each does. Where another process
 * has ended, failed or not come, the error of what waits for it has that rank as `waitedFor`.
 */
export class NativeCollectives<Engine extends string> {
  /** What joins the processes. */
  readonly engine: Engine
  /** Number of this process, 0 for the first. */
  readonly rank: number
  /** Number of the processes. */
  readonly worldSize: number
  readonly #addon: CollectivesAddon
  readonly #group: Group
  #closed: Promise<void> | undefined

  /** Made by the connect functions. */
  constructor(engine: Engine, { rank, worldSize }: Place, addon: CollectivesAddon, group: Group) {
    this.engine = engine
    this.rank = rank
    this.worldSize = worldSize
    this.#addon = addon
    this.#group = group
  }

  /** Adds the arrays of all processes up, in place. */
  async allReduce(values: Float32Array): Promise<void> {
    await this.#addon.allReduce(this.#group, values.length, settled(values))
  }

  /** Copies the bytes of `root` to all processes, in place. */
  async broadcast(bytes: Uint8Array, root: number): Promise<void> {
    await this.#addon.broadcast(this.#group, bytes.length, root, settled(bytes))
  }

  /**
   * The bytes of every process, in the order of the ranks.
   *
   * @param options.equal whether all have as many bytes: then they need not tell each other how many first
   */
  async allGather(bytes: Uint8Array, { equal = false }: { equal?: boolean } = {}): Promise<Uint8Array[]> {
    return await this.#addon.allGather(this.#group, bytes.length, settled(bytes), equal)
  }

  /** Waits until all processes have come. */
  async barrier(): Promise<void> {
    await this.#addon.barrier(this.#group)
  }

  /**
   * Never rejects: what was begun before tells of its own failure.
   *
   * @param reason why this process fails, which those are told that wait for it
   */
  close(reason = ''): Promise<void> {
    this.#closed ??= this.#addon.closeCollectives(this.#group, reason)
    return this.#closed
  }
}

interface Place {
  /** Which of the processes this is, from 0. */
  rank: number
  worldSize: number
}

/** Options of connectMpi. */
export interface MpiOptions extends Place {
  /**
   * Milliseconds that a process waits for another, at the start and in each operation, before both fail.
   *
   * @default 600_000
   */
  timeout?: number
  /**
   * What must be the same in every process, such as versions and the recipe: another one is refused.
   *
   * @default ''
   */
  token?: string
  /** Ends the waiting for the others at the start: connecting rejects, and nothing stays of it. */
  signal?: AbortSignal
}

/** Options of connectLocal. */
export interface ConnectOptions extends MpiOptions {
  /** Names the run among those on this machine; the same in every process, for example `${MASTER_ADDR}:${MASTER_PORT}`. */
  id: string
}

const longestToken = 500

/**
 * Joins the run's other processes on this machine, through shared memory. Linux.
 *
 * Nothing of it stays, however the processes end: the file by which they meet, /dev/shm/vitral-…, is removed once all
 * have come, or by one that gives up; and one that was left by processes killed before that by the next run of this user,
 * or by `removeLeftFiles`.
 *
 * @throws where a process has not come in time, naming the missing ranks; where world sizes or tokens differ or two have
 *   one rank, saying which; and where another run of this id is going on
 * @example
 * const collectives = await connectLocal({ rank: 0, worldSize: 2, id: 'localhost:29500' })
 * await collectives.allReduce(gradients) // in place: the sum over both processes
 */
export async function connectLocal(options: ConnectOptions): Promise<NativeCollectives<'local'>> {
  if (process.platform !== 'linux')
    throw new Error(
      `Collectives through shared memory need Linux; this is ${process.platform}. Train with one process.`,
    )
  const { rank, worldSize, id } = options
  const { timeout, token } = checked(options)
  const addon = loadCollectivesAddon()
  const group = addon.connectLocal(worldSize, rank, segmentName(id), id, token, timeout)
  await connected(addon, group, options)
  return new NativeCollectives('local', options, addon, group)
}

/**
 * Joins the processes that mpirun has started, on one machine or many, through the Open MPI or MPICH that is installed.
 * The sums have the bits of `connectLocal`'s. Once in a process: MPI begins and ends once.
 *
 * When a process dies, mpirun ends the others. One that does not come in time is named by those that waited for it.
 *
 * @throws where no MPI is installed; where mpirun has started other processes than these, or none; and where tokens differ
 * @example
 * // mpirun -n 4 --host here:2,there:2 bun train.ts
 * const { OMPI_COMM_WORLD_RANK: rank, OMPI_COMM_WORLD_SIZE: worldSize } = process.env
 * const collectives = await connectMpi({ rank: Number(rank), worldSize: Number(worldSize) })
 */
export async function connectMpi(options: MpiOptions): Promise<NativeCollectives<'mpi'>> {
  const { rank, worldSize } = options
  const { timeout, token } = checked(options)
  const addon = loadCollectivesAddon()
  const group = addon.connectMpi(worldSize, rank, mpiLibraries(process.env).join('\n'), token, timeout)
  await connected(addon, group, options)
  return new NativeCollectives('mpi', options, addon, group)
}

/** Options of connectNccl. */
export interface NcclOptions extends ConnectOptions {
  /** Which of this machine's processes this is, from 0: it takes the CUDA device of that number. @default rank */
  localRank?: number
  /** How the processes meet: those of one machine through shared memory, or those of an mpirun. @default 'local' */
  meet?: 'local' | 'mpi'
}

/**
 * Joins the run's other processes, each with a CUDA device of its own, through the NCCL that is installed. Only sums are on
 * the devices: everything else goes as with `connectLocal` or `connectMpi`, by which the processes meet.
 *
 * A sum has the same bits in every process, but NCCL chooses the order: with three processes or more they are within
 * float32 rounding of those of the other engines.
 *
 * @throws where NCCL 2.14 or later, the CUDA runtime or a CUDA device is missing, saying which; where two processes have one
 *   device; and whatever the joining throws by which they meet
 * @example
 * const collectives = await connectNccl({ rank: 0, worldSize: 2, id: 'localhost:29500' })
 */
export async function connectNccl(options: NcclOptions): Promise<NativeCollectives<'nccl'>> {
  const { rank, worldSize, id, localRank = rank, meet = 'local' } = options
  if (process.platform !== 'linux')
    throw new Error(`NCCL needs Linux; this is ${process.platform}. Train with one process.`)
  const { timeout, token } = checked(options)
  const addon = loadCollectivesAddon()
  const { nccl, cuda } = ncclLibraries(process.env)
  const device = [localRank, nccl.join('\n'), cuda.join('\n')] as const
  const group =
    meet === 'mpi'
      ? addon.connectNcclByMpi(worldSize, rank, mpiLibraries(process.env).join('\n'), token, timeout, ...device)
      : addon.connectNcclLocally(worldSize, rank, segmentName(id), id, token, timeout, ...device)
  await connected(addon, group, options)
  return new NativeCollectives('nccl', options, addon, group)
}

/** What joins processes: shared memory, an MPI, or NCCL. */
export type NativeEngine = 'local' | 'mpi' | 'nccl'

const engines: Readonly<Record<NativeEngine, (options: NcclOptions) => Promise<NativeCollectives<NativeEngine>>>> = {
  local: connectLocal,
  mpi: connectMpi,
  nccl: connectNccl,
}

/** Joins the run's other processes by the engine of that name. */
export async function connect(engine: NativeEngine, options: NcclOptions): Promise<NativeCollectives<NativeEngine>> {
  const join = engines[engine]
  if (!join)
    throw new Error(`There is no engine '${engine}' for collectives; expected ${Object.keys(engines).join(', ')}.`)
  return await join(options)
}

/**
 * Removes the files in /dev/shm by which processes of this user were to meet that were all killed before that. For whoever
 * started them; of those that live nothing is touched.
 */
export function removeLeftFiles(): void {
  if (process.platform === 'linux') loadCollectivesAddon().removeLeftSegments(filePrefix())
}

/**
 * Ends this process when the one that started it has ended, so many seconds later, which it has to end by itself; also
 * amid a computation. For processes that are of no use alone. Linux.
 *
 * @returns whether it will; on other systems it does not
 */
export const endWithParent = (seconds: number): boolean => loadCollectivesAddon().endWithParent(seconds)

const segmentName = (id: string): string =>
  `${filePrefix()}${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
const filePrefix = (): string => `vitral-${process.getuid?.() ?? 0}-`

/** Neither an abort nor an exit amid it leaves the file; cleanup hooks of Node-API are not called by process.exit. */
async function connected(addon: CollectivesAddon, group: Group, { signal }: MpiOptions): Promise<void> {
  const interrupt = () => addon.interruptCollectives(group)
  if (signal?.aborted) interrupt()
  signal?.addEventListener('abort', interrupt)
  process.on('exit', interrupt)
  try {
    await addon.connected(group)
  } finally {
    signal?.removeEventListener('abort', interrupt)
    process.off('exit', interrupt)
  }
}

function checked({ rank, worldSize, timeout = 600_000, token = '' }: MpiOptions): { timeout: number; token: string } {
  checkInteger('worldSize', worldSize, 1, 1024)
  checkInteger('rank', rank, 0, worldSize - 1)
  if (!(timeout >= 1)) throw new Error(`timeout is ${timeout}; expected milliseconds, 1 or more.`)
  if (Buffer.byteLength(token) > longestToken)
    throw new Error(`token has ${Buffer.byteLength(token)} bytes; expected ${longestToken} at most. Give a hash of it.`)
  return { timeout: Math.ceil(timeout), token }
}

/**
 * With memory that stays where it is: Bun keeps a small array inside its own heap until somebody asks for its buffer, and
 * would then move it from under the thread.
 */
function settled<T extends Float32Array | Uint8Array>(array: T): T {
  void array.buffer
  return array
}
