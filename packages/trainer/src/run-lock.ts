/**
 * Keeps a second process out of a run's folder.
 *
 * Each process that wants the folder puts a file of its own there, whose name says who it is, and then looks for those of
 * others. Whoever comes later sees the earlier one's, and nobody ever removes a file that a living process made: so the
 * lock of a killed process can be cleared without a moment in which two processes clear each other's.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeError } from '@vitral/core'

export interface RunLock {
  /** Lets others in; a folder that was made for it and is empty goes. */
  release(): void
}

interface Owner {
  /** Of the file. */
  name: string
  host: string
  pid: number
  /** When the process began: pids are used again, after a restart even the same ones. */
  began: string
}

const pattern = /^lock-(?<host>.+)-(?<pid>\d+)-(?<began>[^-]+)-[\da-f]+$/

/** Of two that come at the same moment one gives way at once, and the other looks again; milliseconds. */
const [looks, pause] = [10, 50]

/**
 * Creates the folder where it is missing. The end of the process releases it, unless it is killed; that is then seen.
 *
 * @throws naming the process that has the folder
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const { pid } = process
  const name = `lock-${hostname()}-${pid}-${beginningOf(pid)}-${crypto.randomUUID().slice(0, 8)}`
  const path = join(folder, name)
  let created: string | undefined
  try {
    created = mkdirSync(folder, { recursive: true })
    writeFileSync(path, '')
  } catch (error) {
    throw writeError(error, { path: folder, bytes: 0 })
  }
  const release = () => {
    process.removeListener('exit', release)
    rmSync(path, { force: true })
    if (created && readdirSync(folder).length === 0) rmdirSync(folder)
  }
  process.on('exit', release)
  for (let look = 1; ; look++) {
    const [other] = livingOwners(folder).filter(owner => owner.name !== name)
    if (!other) return { release }
    if (other.name < name || look === looks) {
      release()
      throw new Error(
        `${folder} is in use by process ${other.pid} on ${other.host}; wait for it or stop it. If it is gone, remove ${join(folder, other.name)}.`,
      )
    }
    await sleep(pause)
  }
}

/** By name; the files of processes that are gone are removed. */
function livingOwners(folder: string): Owner[] {
  const owners = readdirSync(folder).flatMap(name => {
    const { host = '', pid, began = '' } = pattern.exec(name)?.groups ?? {}
    return pid === undefined ? [] : [{ name, host, pid: Number(pid), began }]
  })
  for (const owner of owners) if (!isAlive(owner)) rmSync(join(folder, owner.name), { force: true })
  return owners.filter(isAlive).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A process on another machine cannot be asked, so it counts as alive. */
function isAlive({ host, pid, began }: Owner): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
  return beginningOf(pid) === began
}

/** On Linux the start of the machine and the ticks until that of the process; elsewhere the pid must do. */
function beginningOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = status.slice(status.lastIndexOf(') ') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
    return state === 'Z' ? 'ended' : `${boot}.${fields[18]}` // field 22 of proc(5); the third is the state
  } catch {
    return 'unknown'
  }
}
