/** Keeps a second process out of a run's folder. */
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeError } from '@vitral/core/files'
import { type FileLock, type LockOptions, takeLock } from '@vitral/core/node'
import type { RunLock } from './run-lock.ts'

/**
 * Creates the folder where it is missing; one that was made for the lock and is empty goes with it. The lock of a process
 * that was killed is taken over: at once where that process can be seen to be gone, and after a lease of some seconds where
 * it was another container's or another machine's.
 *
 * @throws naming the process that has the folder
 */
export async function lockRun(folder: string, options: Omit<LockOptions, 'wait'> = {}): Promise<RunLock> {
  let created: string | undefined
  let lock: FileLock
  const removeEmpty = (): void => {
    if (!created) return
    try {
      if (readdirSync(folder).length === 0) rmdirSync(folder)
    } catch {
      // Nothing is lost by an empty folder that stays.
    }
  }
  try {
    created = mkdirSync(folder, { recursive: true })
    lock = await takeLock(join(folder, 'lock'), folder, options)
  } catch (error) {
    removeEmpty()
    throw writeError(error, { path: folder, bytes: 0 })
  }
  const release = (): void => {
    process.off('exit', release)
    lock.release()
    removeEmpty()
  }
  process.on('exit', release)
  return { ...lock, release }
}
