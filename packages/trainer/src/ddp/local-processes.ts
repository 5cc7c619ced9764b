/** The processes that this one has started, and those in turn: mpirun, its ssh for each machine, and the ranks of this one. Linux. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface StartedProcess {
  pid: number
  /** Whether it is a process of a training run, not mpirun. */
  isRank: boolean
  /** What it was started with. */
  variables: Readonly<Record<string, string>>
}

export function localProcesses(): StartedProcess[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').flatMap(pid => {
    const variables = variablesOf(pid)
    if (variables.VITRAL_LAUNCHER !== String(process.pid)) return []
    return [{ pid: Number(pid), isRank: 'OMPI_COMM_WORLD_RANK' in variables || 'PMI_RANK' in variables, variables }]
  })
}

function variablesOf(pid: string): Record<string, string> {
  try {
    const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return Object.fromEntries(lines.map(line => [line.replace(/=.*/s, ''), line.replace(/^.*?=/s, '')]))
  } catch {
    return {} // no process, or it has just ended, or it is another user's
  }
}
