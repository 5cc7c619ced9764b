/** Divides a machine's processors between the processes of a training run that are on it. */
import { availableParallelism } from 'node:os'

/**
 * Gives the native kernels of this process its share of threads: all processors by LOCAL_WORLD_SIZE, which torchrun and
 * `launch` set. A user's OMP_NUM_THREADS comes before it.
 */
export async function shareProcessors(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const processes = Number(env.LOCAL_WORLD_SIZE ?? 1)
  if (!(processes > 1)) return
  const { setThreads } = await import('@vitral/backend-node')
  setThreads(threadsEach(processes, env.OMP_NUM_THREADS))
}

export function threadsEach(processes: number, wanted?: string, processors: number = availableParallelism()): number {
  const threads = Number(wanted)
  return Number.isInteger(threads) && threads > 0 ? threads : Math.max(1, Math.floor(processors / processes))
}
