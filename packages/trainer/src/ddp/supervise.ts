/** What watches over the processes of a training run: it ends them together, and begins again where that was asked for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RankEnd, RankProcess } from './rank-process.ts'

export interface SuperviseOptions {
  /** @param attempt 0 at first, then of each restart */
  start: (attempt: number) => RankProcess[]
  /** The first failure, in a line. */
  describe: (failure: RankEnd, count: number) => string
  /** After a failure all are started again, so many times at most. @default 0 */
  maxRestarts?: number
  /** Is told in a line what happened. @default standard error */
  say?: (line: string) => void
  /** Passed on to all, once; the second time they are killed. @default SIGINT and SIGTERM of this process */
  signals?: NodeJS.EventEmitter
}

/** Milliseconds that processes have to end by themselves once one of them has failed. */
const patience = 1000

/** @returns the code to exit with: 0 when all ended well, else that of the first that failed */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { start, describe, maxRestarts = 0, say = toStandardError, signals = process } = options
  let running: RankProcess[] = []
  let stopping: NodeJS.Signals | undefined
  const passOn = (signal: NodeJS.Signals) => {
    for (const rank of running) rank.kill(stopping ? 'SIGKILL' : signal)
    stopping = signal
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.on(signal, passOn)
  try {
    for (let attempt = 0; ; attempt++) {
      running = start(attempt)
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

export const toStandardError = (line: string): void => console.error(line)

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
