/** What an Open MPI's mpirun would have removed that is killed: the memory which its processes here share, and its folder. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { localProcesses, type StartedProcess } from './local-processes.ts'
import type { RankProcess } from './rank-process.ts'

/** Milliseconds. */
const lookInterval = 1000
const sharedMemory = '/dev/shm'

/** Removes them after its end. Where the mpirun is another one, it has none that this knows. Linux. */
export function removeMpiFiles(mpirun: RankProcess): RankProcess {
  let rank: StartedProcess | undefined // any of them
  const look = setInterval(() => {
    rank ??= localProcesses().find(({ isRank }) => isRank)
    if (rank) clearInterval(look)
  }, lookInterval)
  const ended = mpirun.ended.then(end => {
    clearInterval(look)
    if (end.signal && rank) remove(rank)
    return end
  })
  return { ...mpirun, ended }
}

function remove({ variables }: StartedProcess): void {
  const { OMPI_MCA_ess_base_jobid: job, OMPI_MCA_orte_jobfam_session_dir: folder } = variables
  if (job) {
    const ofJob = new RegExp(`^vader_segment\\..*\\.${Number(job).toString(16)}\\.\\d+$`)
    for (const name of readdirSync(sharedMemory))
      if (ofJob.test(name)) rmSync(join(sharedMemory, name), { force: true })
  }
  if (folder && /\/ompi\.[^/]+\/pid\.\d+$/.test(folder)) rmSync(folder, { recursive: true, force: true })
}
