/** Ends an mpirun that waits for ever for a machine that is cut off, after all processes here have ended. Linux. */

import { localProcesses } from './local-processes.ts'
import type { RankProcess } from './rank-process.ts'

/** Milliseconds. */
const [lookInterval, patience] = [1000, 10_000]

export function endAfterRanks({ ended }: RankProcess): void {
  let lastSeen: number | undefined
  const look = setInterval(() => {
    const started = localProcesses()
    if (started.some(({ isRank }) => isRank)) lastSeen = performance.now()
    else if (lastSeen !== undefined && performance.now() - lastSeen > patience) for (const { pid } of started) kill(pid)
  }, lookInterval)
  ended.finally(() => clearInterval(look))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
