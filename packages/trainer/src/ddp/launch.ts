/** Starts the processes of one training run on this machine, and ends them together: torchrun's part. */
import { launcherVariables } from './end-with-launcher.ts'
import { freePort } from './free-port.ts'
import { type RankEnd, type RankProcess, startRank } from './rank-process.ts'
import { type SuperviseOptions, supervise, timeoutOf, toStandardError } from './supervise.ts'

export interface LaunchOptions extends Omit<SuperviseOptions, 'start' | 'describe'> {
  /** What each process runs. */
  command: string
  /** @param attempt 0 at first, then of each restart */
  args: (attempt: number) => readonly string[]
  nproc: number
  /** With each restart one process fewer, down to so many. @default nproc: always as many */
  minNproc?: number
  /** Names the run on this machine. @default one that is free */
  masterPort?: number
}

/**
 * Runs `nproc` processes of a command, with RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and
 * RESTART_COUNT as torchrun sets them. The first one has this process's terminal; what the others say is marked.
 *
 * When one fails the others are ended, within three seconds, and the first failure is told: that of the one for which others
 * have waited in vain comes before theirs. When one has ended well, those that have not within `timeout` are ended. When this
 * process is killed they end too: each calls `endWithLauncher`.
 *
 * @returns the code to exit with: 0 when all ended well, else that of the first that failed
 * @example
 * await launch({ command: 'bun', args: () => ['train.ts'], nproc: 4, maxRestarts: 2 })
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { nproc, minNproc = nproc } = options
  const masterPort = options.masterPort ?? (await freePort())
  const start = (attempt: number): RankProcess[] =>
    startRanks(options, { nproc: Math.max(minNproc, nproc - attempt), masterPort, attempt })
  const code = await supervise({ ...options, start, describe })
  if (code !== 0) await removeLeftFiles()
  return code
}

/** Removes meeting files of processes that were all killed before they met. */
async function removeLeftFiles(): Promise<void> {
  const native = await import('@vitral/backend-node/collectives').catch(() => undefined) // then nothing has met there
  native?.removeLeftFiles()
}

interface Attempt {
  nproc: number
  masterPort: number
  attempt: number
}

function startRanks(options: LaunchOptions, { nproc, masterPort, attempt }: Attempt): RankProcess[] {
  const { command, args, say = toStandardError } = options
  return Array.from({ length: nproc }, (_, rank) =>
    startRank(command, args(attempt), {
      name: `[rank ${rank}] `,
      rank,
      say,
      env: {
        RANK: String(rank),
        LOCAL_RANK: String(rank),
        WORLD_SIZE: String(nproc),
        LOCAL_WORLD_SIZE: String(nproc),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: String(masterPort),
        RESTART_COUNT: String(attempt),
        VITRAL_COLLECTIVES_TIMEOUT: String(timeoutOf(options)),
        ...launcherVariables(),
      },
    }),
  )
}

function describe({ rank, pid, code, signal, hangs, residentBytes }: RankEnd, count: number): string {
  const who = `Rank ${rank} of ${count} (process ${pid})`
  if (hangs) return `${who} hangs, or is slower than --timeout allows; all were ended.`
  if (!signal) return `${who} failed first, with exit code ${code}; the others were ended.`
  const memory =
    residentBytes === undefined ? '' : ` It last had ${(residentBytes / 2 ** 20).toFixed(0)} MiB in memory.`
  const why = signal === 'SIGKILL' ? 'was killed, by someone or for want of memory' : `was ended by ${signal}`
  return `${who} ${why}; the others were ended.${memory}`
}
