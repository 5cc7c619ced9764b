/** Ends an mpirun that waits for ever for a machine that is cut off, after all processes here have ended. Linux. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { RankProcess } from './rank-process.ts'

/** Milliseconds. */
const [lookInterval, patience] = [1000, 10_000]

export function endAfterRanks({ ended }: RankProcess): void {
  let lastSeen: number | undefined
  const look = setInterval(() => {
    const started = startedHere()
    if (started.some(({ isRank }) => isRank)) lastSeen = performance.now()
    else if (lastSeen !== undefined && performance.now() - lastSeen > patience) for (const { pid } of started) kill(pid)
  }, lookInterval)
  ended.finally(() => clearInterval(look))
}

/** What this process has started, and that in turn: mpirun, its ssh for each machine, and the ranks of this one. */
function startedHere(): { pid: number; isRank: boolean }[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').flatMap(pid => {
    const variables = variablesOf(pid)
    if (!variables.includes(`VITRAL_LAUNCHER=${process.pid}`)) return []
    return [{ pid: Number(pid), isRank: variables.some(name => /^(OMPI_COMM_WORLD_RANK|PMI_RANK)=/.test(name)) }]
  })
}

function variablesOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return [] // no process, or it has just ended, or it is another user's
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
