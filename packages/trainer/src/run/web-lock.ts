/** Keeps a second tab out of a run's folder, by the Web Locks API: the browser frees the lock of a tab that is gone. */
import { disk } from '@vitral/core/files'
import type { RunLock } from './run-lock.ts'

/** @throws when another tab, or another worker of this one, has the folder */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = disk.join(folder) // however it is written
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock) return new Promise(release => resolve({ requireHeld: () => {}, release }))
      const reason = `${folder} is in use by another tab or worker of this site`
      reject(new Error(`${reason}; close it, or stop its run, first.`))
      return undefined
    }
    navigator.locks.request(`vitral-run:${path}`, { ifAvailable: true }, hold).catch(reject)
  })
}
