/** Starts the processes of one training run on this machine, and ends them together: torchrun's part. */
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { type RankEnd, type RankProcess, startRank } from './rank-process.ts'

export interface LaunchOptions {
  /** What each process runs. */
  command: string
  /** @param attempt 0 at first, then of each restart */
  args: (attempt: number) => readonly string[]
  nproc: number
  /** After a failure all are started again, so many times at most. @default 0 */
  maxRestarts?: number
  /** With each restart one process fewer, down to so many. @default nproc: always as many */
  minNproc?: number
  /** Names the run on this machine. @default one that is free */
  masterPort?: number
  /** Seconds that a process may be silent in a sum before the others give up. @default 300 */
  timeout?: number
  /** Is told in a line what happened. @default standard error */
  say?: (line: string) => void
  /** Passed on to all, once; the second time they are killed. @default SIGINT and SIGTERM of this process */
  signals?: NodeJS.EventEmitter
}

/** Milliseconds that processes have to end by themselves once one of them has failed. */
const patience = 1000

/**
 * Runs `nproc` processes of a command, with RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and
 * RESTART_COUNT as torchrun sets them. The first one has this process's terminal; what the others say is marked.
 *
 * When one fails the others are ended, within two seconds, and the first failure is told. When this process is killed they
 * end too: each calls `endWithLauncher`.
 *
 * @returns the code to exit with: 0 when all ended well, else that of the first that failed
 * @example
 * await launch({ command: 'bun', args: () => ['train.ts'], nproc: 4, maxRestarts: 2 })
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { nproc, maxRestarts = 0, minNproc = nproc, signals = process } = options
  const say = options.say ?? ((line: string) => console.error(line))
  const masterPort = options.masterPort ?? (await freePort())
  let running: RankProcess[] = []
  let stopping: NodeJS.Signals | undefined
  const passOn = (signal: NodeJS.Signals) => {
    for (const rank of running) rank.kill(stopping ? 'SIGKILL' : signal)
    stopping = signal
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.on(signal, passOn)
  try {
    for (let attempt = 0; ; attempt++) {
      running = start({ ...options, nproc: Math.max(minNproc, nproc - attempt), masterPort, attempt, say })
      const failure = await endTogether(running)
      if (!failure) return 0
      if (stopping || wasStopped(failure)) return failure.code
      say(describe(failure, running.length))
      if (attempt === maxRestarts) return failure.code
      say(`Starting all again, ${attempt + 1} of ${maxRestarts} times.`)
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.off(signal, passOn)
  }
}

type StartOptions = LaunchOptions & { masterPort: number; attempt: number; say: (line: string) => void }

function start({ command, args, nproc, masterPort, attempt, timeout = 300, say }: StartOptions): RankProcess[] {
  return Array.from({ length: nproc }, (_, rank) =>
    startRank(command, args(attempt), {
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
        VITRAL_COLLECTIVES_TIMEOUT: process.env.VITRAL_COLLECTIVES_TIMEOUT ?? String(timeout),
        VITRAL_LAUNCHER: String(process.pid),
      },
    }),
  )
}

/** @returns the first that failed, once all have ended; nothing when all ended well */
async function endTogether(ranks: readonly RankProcess[]): Promise<RankEnd | undefined> {
  const first = await firstFailure(ranks)
  if (!first) return undefined
  const ends = Promise.all(ranks.map(rank => rank.ended))
  if (wasStopped(first)) await ends // the first is saving what they did
  for (const rank of ranks) rank.kill('SIGTERM')
  await Promise.race([ends, sleep(patience, undefined, { ref: false })])
  for (const rank of ranks) rank.kill('SIGKILL')
  await ends
  return first
}

/** It ended by itself, as it was told to by Ctrl-C or SIGTERM; then all do, after the same step. */
const wasStopped = ({ code, signal }: RankEnd): boolean => !signal && (code === 130 || code === 143)

function firstFailure(ranks: readonly RankProcess[]): Promise<RankEnd | undefined> {
  return new Promise(resolve => {
    for (const { ended } of ranks) ended.then(end => end.code !== 0 && resolve(end))
    Promise.all(ranks.map(({ ended }) => ended)).then(() => resolve(undefined))
  })
}

function describe({ rank, pid, code, signal, residentBytes }: RankEnd, count: number): string {
  const who = `Rank ${rank} of ${count} (process ${pid})`
  if (!signal) return `${who} failed first, with exit code ${code}; the others were ended.`
  const memory =
    residentBytes === undefined ? '' : ` It last had ${(residentBytes / 2 ** 20).toFixed(0)} MiB in memory.`
  const why = signal === 'SIGKILL' ? 'was killed, by someone or for want of memory' : `was ended by ${signal}`
  return `${who} ${why}; the others were ended.${memory}`
}
