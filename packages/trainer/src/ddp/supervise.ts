/** What watches over the processes of a training run: it ends them together, and begins again where that was asked for. */
import { setTimeout as sleep } from 'node:timers/promises'
import { printableLines } from '@vitral/core/text'
import { interrupts } from './interrupt.ts'
import type { RankEnd, RankProcess } from './rank-process.ts'

export interface SuperviseOptions {
  /** @param attempt 0 at first, then of each restart */
  start: (attempt: number) => RankProcess[]
  /** The first failure, in a line. */
  describe: (failure: RankEnd, count: number) => string
  /** After a failure all are started again, so many times at most. @default 0 */
  maxRestarts?: number
  /**
   * Seconds that a process may be silent before the others give up; and that it may live on when another has ended well.
   *
   * @default VITRAL_COLLECTIVES_TIMEOUT, or 600
   */
  timeout?: number
  /** Is told in a line what happened. @default standard error */
  say?: (line: string) => void
  /** Passed on to all, once; the second time they are killed. @default SIGINT, SIGTERM and SIGHUP of this process */
  signals?: NodeJS.EventEmitter
}

/** Milliseconds that processes have to end by themselves once one of them has failed. */
const patience = 1000

/** Seconds that a process may be silent, unless others are given. */
export const defaultTimeout = 600

/** Seconds. */
export const timeoutOf = ({ timeout }: Pick<SuperviseOptions, 'timeout'>): number =>
  timeout ?? (Number(process.env.VITRAL_COLLECTIVES_TIMEOUT) || defaultTimeout)

/** @returns the code to exit with: 0 when all ended well, else that of the first that failed */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { start, describe, maxRestarts = 0, say = toStandardError, signals = process } = options
  const passedOn = interrupts().filter(signal => signal !== 'SIGUSR2')
  let running: RankProcess[] = []
  let stopping: NodeJS.Signals | undefined
  const passOn = (signal: NodeJS.Signals) => {
    for (const rank of running) rank.kill(stopping ? 'SIGKILL' : signal)
    stopping = signal
  }
  for (const signal of passedOn) signals.on(signal, passOn)
  try {
    for (let attempt = 0; ; attempt++) {
      running = start(attempt)
      const timeout = 1000 * timeoutOf(options)
      const failure = await endTogether(running, { timeout, wereAsked: () => stopping !== undefined })
      if (!failure) return 0
      if (stopping || wasStopped(failure)) return failure.code
      say(describe(failure, running.length))
      if (attempt === maxRestarts) return failure.code
      say(`Starting all again, ${attempt + 1} of ${maxRestarts} times.`)
    }
  } finally {
    for (const signal of passedOn) signals.off(signal, passOn)
  }
}

/** Lines of other processes, too, whatever they hold. */
export const toStandardError = (line: string): void => console.error(printableLines(line))

/** @returns the first that failed, once all have ended; nothing when all ended well */
async function endTogether(
  ranks: readonly RankProcess[],
  { timeout, wereAsked }: { timeout: number; wereAsked: () => boolean },
): Promise<RankEnd | undefined> {
  const first = await firstFailure(ranks, timeout)
  if (!first) return undefined
  const ends = Promise.all(ranks.map(rank => rank.ended))
  if (wasStopped(first)) {
    // One that has not met the others yet does not know; the first may be saving what they did, which this does not end.
    if (!wereAsked()) for (const rank of ranks) rank.kill('SIGTERM')
    await Promise.race([ends, sleep(timeout, undefined, { ref: false })])
  }
  const cause = await causeOf(first, ranks)
  for (const rank of ranks) rank.kill('SIGTERM')
  await Promise.race([ends, sleep(patience, undefined, { ref: false })])
  for (const rank of ranks) rank.kill('SIGKILL')
  await ends
  return cause
}

/** It ended by itself, as it was told to by Ctrl-C, SIGTERM or SIGHUP; then all do, after the same step. */
const wasStopped = ({ code, signal }: RankEnd): boolean => !signal && [130, 143, 129].includes(code)

/** @param timeout milliseconds that the others have once one has ended well */
async function firstFailure(ranks: readonly RankProcess[], timeout: number): Promise<RankEnd | undefined> {
  const living = new Set(ranks)
  let late: NodeJS.Timeout | undefined
  const failure = await new Promise<RankEnd | undefined>(resolve => {
    for (const rank of ranks)
      rank.ended.then(end => {
        living.delete(rank)
        if (end.code !== 0) resolve(end)
        else if (living.size === 0) resolve(undefined)
        else late ??= setTimeout(() => resolve(hanging([...living][0] as RankProcess)), timeout)
      })
  })
  clearTimeout(late)
  return failure
}

/** The end of the one for which another has waited in vain: of an error of its own, or it hangs. */
async function causeOf(first: RankEnd, ranks: readonly RankProcess[]): Promise<RankEnd> {
  const awaited = ranks.find(({ rank }) => rank === first.waitedFor)
  if (!awaited) return first
  const end = await Promise.race([awaited.ended, sleep(patience, hanging(awaited), { ref: false })])
  return end.code === 0 ? first : end
}

const hanging = ({ rank, pid }: RankProcess): RankEnd => ({ rank, pid, code: 1, hangs: true })
