/**
 * The owner of a lock, as the name of its file says it, and whether that process can be seen to live or to be gone.
 *
 * A process id means something in its own pid namespace of its own kernel alone: containers that share a folder number
 * their processes from 1, and a new container has another host name on the same kernel. So the name carries the kernel's
 * boot and the namespace, and the host's name only for people to read.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface LockOwner {
  /** The lock file's name. */
  name: string
  host: string
  pid: number
  /** Boot and pid namespace, in which pids can be compared. */
  space: string
  /** When the process began: pids are used again, after a restart even the same ones. */
  began: string
}

const fields = /^-(?<host>.+)-(?<pid>\d+)-(?<space>[^-]+)-(?<began>[^-]+)-[\da-f]{8}$/
const unknown = 'unknown'

/** The file name of a lock that this process wants; no other one has the same. */
export function newLockName(prefix: string): string {
  const host = encodeURIComponent(hostname()).slice(0, 64) // a file's name has 255 bytes
  const id = crypto.randomUUID().slice(0, 8)
  return `${prefix}-${host}-${process.pid}-${pidSpace()}-${beginningOf('self') ?? unknown}-${id}`
}

/** @returns nothing where the name is no lock's */
export function lockOwner(name: string, prefix: string): LockOwner | undefined {
  const found = name.startsWith(prefix) ? fields.exec(name.slice(prefix.length))?.groups : undefined
  const { host = '', pid, space = '', began = '' } = found ?? {}
  return pid === undefined ? undefined : { name, host, pid: Number(pid), space, began }
}

/** 'unknown' where the process cannot be asked for, being in another pid namespace or on another machine. */
export function stateOf({ pid, space, began, host }: LockOwner): 'lives' | 'gone' | 'unknown' {
  if (space === unknown || space !== pidSpace()) return 'unknown'
  if (process.platform !== 'linux' && host !== encodeURIComponent(hostname()).slice(0, 64)) return 'unknown'
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'gone'
  }
  const begins = beginningOf(pid)
  if (begins === undefined || began === unknown) return 'unknown'
  return begins === began ? 'lives' : 'gone'
}

function pidSpace(): string {
  if (process.platform !== 'linux') return process.platform
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) return unknown // it is another namespace's /proc
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)}.${namespace}`
  } catch {
    return unknown
  }
}

/** Ticks from the kernel's start to the process's, on Linux. */
function beginningOf(pid: number | 'self'): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = status.slice(status.lastIndexOf(') ') + 2).split(' ')
    return state === 'Z' ? 'ended' : fields[18] // field 22 of proc(5); the third is the state
  } catch {
    return undefined
  }
}
