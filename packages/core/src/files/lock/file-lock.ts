/**
 * A lock by files, so that of several processes, in containers or on machines that share a folder, one alone works there.
 *
 * Each process that wants the lock puts a file of its own there, whose name says who it is, and then looks for those of
 * others; it has the lock once it sees none. Nobody ever removes a file that a living process made, so clearing the lock
 * of a killed one needs no moment in which two processes clear each other's. Whether an owner lives is asked of the kernel
 * where that can be; elsewhere its file has to change within a lease, which is timed by whoever looks, not by any clock
 * that two machines would have to share.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { renewing, stateOfBeat, writeBeat } from './lock-beat.ts'
import { type LockOwner, lockOwner, newLockName, stateOf } from './lock-owner.ts'

/** How long a lock holds without a sign of life of its owner. */
export interface Lease {
  /** An owner that cannot be asked and has not renewed its lease for so long is gone. */
  seconds: number
  /** Seconds between renewals. */
  renewSeconds: number
}

/** Settings of `takeLock` and `withLock`. */
export interface LockOptions {
  /** Whether to wait until others release it, instead of refusing. @default false */
  wait?: boolean
  /** Ends the waiting. */
  signal?: AbortSignal
  /** Called with one line when it has to be found out whether an owner elsewhere lives. @default console.warn */
  onWait?: (message: string) => void
  /**
   * How long a lock lasts without a sign of life.
   *
   * @default { seconds: 20, renewSeconds: 2 }: ten renewals may be late, on a loaded machine or file server
   */
  lease?: Lease
}

/** A lock that this process holds. */
export interface FileLock {
  /**
   * Refuses to go on once the lock is lost.
   *
   * @throws where another process took the lock over, since this one was stopped for longer than its lease
   */
  requireHeld(): void
  /** Lets others in. The end of the process does it too, unless it is killed. */
  release(): void
}

/** Seconds between two looks: at a lock that somebody has, and at one that others want too. */
const [hasInterval, wantsInterval] = [0.5, 0.05]

/**
 * Takes a lock. Its files are `path` with the owner added, in a folder that exists.
 *
 * @param subject what is locked, for messages
 * @throws naming the process that has it, unless `wait`; an AbortError by the signal; the file system's errors
 * @example
 * const lock = await takeLock('runs/a/lock', 'runs/a')
 */
export async function takeLock(path: string, subject: string, options: LockOptions = {}): Promise<FileLock> {
  const { wait = false, signal, lease = { seconds: 20, renewSeconds: 2 } } = options
  const watch = new OwnerWatch(path, subject, { ...options, lease })
  for (;;) {
    const own = join(dirname(path), newLockName(basename(path)))
    writeFileSync(own, '', { flag: 'wx' })
    const remove = removedAtExit(own)
    let isHeld = false
    try {
      for (let beat = 0; ; beat++) {
        writeBeat(own, 'wants', beat)
        const owner = watch.others(own)[0]
        if (!owner) {
          writeBeat(own, 'has', 0)
          isHeld = true
          return held(own, subject, lease, remove)
        }
        const givesWay = owner.state === 'has' || owner.name < basename(own)
        if (givesWay && owner.lives && !wait) throw inUse(subject, join(dirname(path), owner.name), owner)
        if (givesWay && wait) break
        await sleep(wantsInterval * 1000, undefined, { signal })
      }
    } catch (error) {
      if (existsSync(own) || !isMissing(error)) throw error // else this process was stopped, and taken for gone
    } finally {
      if (!isHeld) remove()
    }
    await sleep(hasInterval * 1000, undefined, { signal })
  }
}

/**
 * Does the work when nobody else holds the lock; waits until then. Creates the lock's folder.
 *
 * @throws an AbortError when the signal comes while waiting
 */
export async function withLock<T>(
  path: string,
  options: Omit<LockOptions, 'wait'>,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const lock = await takeLock(path, path, { ...options, wait: true })
  try {
    return await work()
  } finally {
    lock.release()
  }
}

interface SeenOwner extends LockOwner {
  state: string
  /** Whether that is sure: else it has to be waited for. */
  lives: boolean
}

/** The other owners of a lock, and since when each has shown no life. */
class OwnerWatch {
  readonly #path: string
  readonly #subject: string
  readonly #options: LockOptions & { lease: Lease }
  readonly #seen = new Map<string, { content: string; since: number; changed: boolean }>()
  #told = false

  constructor(path: string, subject: string, options: LockOptions & { lease: Lease }) {
    this.#path = path
    this.#subject = subject
    this.#options = options
  }

  /** Files sorted by state and name, so that one who has the lock comes first; the files of processes that are gone are removed. */
  others(own: string): SeenOwner[] {
    const [folder, prefix] = [dirname(this.#path), basename(this.#path)]
    const seen = readdirSync(folder)
      .flatMap(name => lockOwner(name, prefix) ?? [])
      .filter(({ name }) => name !== basename(own))
      .flatMap(owner => this.#look(owner, join(folder, owner.name)) ?? [])
    return seen.sort((a, b) => Number(b.state === 'has') - Number(a.state === 'has') || (a.name < b.name ? -1 : 1))
  }

  #look(owner: LockOwner, file: string): SeenOwner | undefined {
    const content = contentOf(file)
    if (content === undefined) return undefined // it was released just now
    const before = this.#seen.get(owner.name)
    const now = performance.now()
    const changed = before?.changed || (before !== undefined && before.content !== content)
    const since = before?.content === content ? before.since : now
    this.#seen.set(owner.name, { content, since, changed })
    const alive = stateOf(owner)
    const { seconds } = this.#options.lease
    if (alive === 'gone' || (alive === 'unknown' && now - since >= seconds * 1000)) {
      rmSync(file, { force: true })
      return undefined
    }
    if (alive === 'unknown' && !changed) this.#tell(owner)
    return { ...owner, state: stateOfBeat(content), lives: alive === 'lives' || changed }
  }

  #tell({ pid, host }: LockOwner): void {
    if (this.#told) return
    this.#told = true
    const { onWait = console.warn, lease } = this.#options
    onWait(
      `${this.#subject} was in use by process ${pid} on ${host}; looking for up to ${lease.seconds} s whether it still runs.`,
    )
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function inUse(subject: string, file: string, { pid, host }: LockOwner): Error {
  return new Error(
    `${subject} is in use by process ${pid} on ${host}; wait for it or stop it. If it is gone, remove ${file}.`,
  )
}

function held(own: string, subject: string, lease: Lease, remove: () => void): FileLock {
  const renewal = renewing(own, lease.renewSeconds)
  let failed: Error | undefined
  renewal.on('error', error => {
    failed = error
  })
  return {
    requireHeld() {
      if (failed) throw new Error(`The lock of ${subject} cannot be renewed: ${failed.message}.`, { cause: failed })
      if (existsSync(own)) return
      throw new Error(
        `${subject} was taken over by another process, since this one had shown no life for ${lease.seconds} s; it ends, and writes nothing more there.`,
      )
    },
    release() {
      void renewal.terminate()
      remove()
    },
  }
}

const atExit = new Set<() => void>()
const removeAll = (): void => {
  for (const remove of atExit) remove()
}

/** Removes the file when it is called, at the latest with the end of the process. */
function removedAtExit(file: string): () => void {
  if (atExit.size === 0) process.on('exit', removeAll)
  const remove = (): void => {
    atExit.delete(remove)
    if (atExit.size === 0) process.off('exit', removeAll)
    try {
      rmSync(file, { force: true })
    } catch (error) {
      console.warn(`${(error as Error).message}. Others will see that its process has ended.`)
    }
  }
  atExit.add(remove)
  return remove
}
