/**
 * What the processes of one training run do together, whatever carries it: shared memory on one machine ('local'), or
 * an installed MPI between machines ('mpi'), or NCCL between CUDA devices ('nccl'). torch.distributed's process group.
 *
 * Every process must begin the same collectives in the same order with the same sizes. They run in that order on a thread
 * of the engine's own, beside JavaScript and the kernels: begin one during the backward pass, and await it after. The
 * memory given belongs to the engine until the promise settles.
 *
 * Every promise rejects, naming the rank and the operation, when a process has died, throws, or is later than the
 * engine's timeout; after the first failure every further one fails at once.
 */
export interface Collectives {
  /** What joins the processes. */
  readonly engine: CollectivesEngine
  /** Which of the processes this is, from 0; RANK. */
  readonly rank: number
  /** How many there are; WORLD_SIZE. */
  readonly worldSize: number
  /**
   * Sums over all processes, in place: every process has the same bits. They are those of adding in the order of the ranks,
   * but with 'nccl', which chooses its own order for three processes and more: its sums differ from those within float32
   * rounding.
   */
  allReduce(values: Float32Array): Promise<void>
  /** Copies root's bytes into everyone's; of the same size everywhere. */
  broadcast(bytes: Uint8Array, root: number): Promise<void>
  /**
   * The bytes of every process, in the order of the ranks.
   *
   * @param options.equal whether all have as many bytes: then they need not tell each other how many first. @default false
   * @returns everyone's bytes by rank; sizes may differ
   */
  allGather(bytes: Uint8Array, options?: { equal?: boolean }): Promise<Uint8Array[]>
  /** Settles when every process has come here. */
  barrier(): Promise<void>
  /**
   * Waits for what was begun, and leaves nothing behind: no thread, no memory, no file.
   *
   * @param reason why this process fails; those that wait for it are told
   */
  close(reason?: string): Promise<void>
}

/** What joins the processes: nothing, shared memory, an MPI, or NCCL. */
export type CollectivesEngine = 'alone' | 'local' | 'mpi' | 'nccl'

/** The collectives of a single process, which waits for nobody. */
export const alone: Collectives = {
  engine: 'alone',
  rank: 0,
  worldSize: 1,
  allReduce: async () => {},
  broadcast: async () => {},
  allGather: async bytes => [bytes.slice()],
  barrier: async () => {},
  close: async () => {},
}
