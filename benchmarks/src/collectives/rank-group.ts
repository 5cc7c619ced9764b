/** The processes of one engine, as the harness sees them. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NativeEngine } from '@vitral/backend-node/collectives'
import { Pipe } from '../contestant.ts'
import { processSeconds } from '../machine.ts'
import type { Runner } from '../rounds.ts'
import type { RankAnswer, RankOptions, RankReady } from './protocol.ts'

/** Whether the engine can be measured here. Open MPI starts nothing for root unless OMPI_ALLOW_RUN_AS_ROOT is set. */
export const isThere = (engine: NativeEngine): boolean =>
  engine === 'local' || spawnSync('mpirun', ['-n', '1', 'true']).status === 0

export class RankGroup<Request> {
  readonly engine: NativeEngine
  /** Pipes to the ranks: one to each, or one to mpirun, which connects the first rank. */
  readonly #pipes: readonly Pipe[]
  readonly #pids: readonly number[]

  private constructor(engine: NativeEngine, pipes: readonly Pipe[], pids: readonly number[]) {
    this.engine = engine
    this.#pipes = pipes
    this.#pids = pids
  }

  /**
   * @param script what each runs, `serveRank`
   * @param more options of its own
   * @throws when a rank ends
   */
  static async start<Request>(
    script: URL,
    engine: NativeEngine,
    worldSize: number,
    more: object = {},
  ): Promise<RankGroup<Request>> {
    const program = [process.execPath, fileURLToPath(script)]
    const common: RankOptions = { engine, worldSize, id: `benchmark ${process.pid}`, threads: 1, ...more }
    const ofRank = (rank: number): RankOptions => ({ ...common, rank })
    const pipes =
      engine === 'mpi'
        ? [new Pipe(engine, ['mpirun', '-n', String(worldSize), ...program], common)]
        : Array.from({ length: worldSize }, (_, rank) => new Pipe(`${engine} ${rank}`, program, ofRank(rank)))
    try {
      const { ready } = (await first(pipes).read()) as RankReady
      return new RankGroup(engine, pipes, ready)
    } catch (error) {
      for (const pipe of pipes) pipe.stop()
      throw error
    }
  }

  runner(name: string, request: Request): Runner {
    return {
      name,
      run: async () => {
        first(this.#pipes).write(JSON.stringify(request))
        return (await first(this.#pipes).read()) as RankAnswer
      },
      cpuSeconds: () => this.#pids.reduce((sum, pid) => sum + (processSeconds(pid) ?? 0), 0),
    }
  }

  stop(): void {
    for (const pipe of this.#pipes) pipe.stop()
  }
}

function first(pipes: readonly Pipe[]): Pipe {
  const [pipe] = pipes
  if (!pipe) throw new Error('A run has at least one rank.')
  return pipe
}
