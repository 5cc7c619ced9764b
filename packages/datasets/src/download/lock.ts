/** A lock by a file, so that of several processes that want the same download one makes it and the others find it made. */
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A lock that nobody has touched for so long, seconds, was left by a process that is gone. */
const staleAfter = 60
/** Seconds between two looks at a lock of another, or touches of one's own. */
const interval = 0.5
const touchInterval = 10

/**
 * Does the work when nobody else holds the lock; waits until then.
 *
 * @param path of the lock's file, which is there meanwhile
 * @throws an AbortError when the signal comes while waiting
 */
export async function withLock<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  while (!(await take(path))) {
    if (await isStale(path)) await rm(path, { force: true })
    else await sleep(interval * 1000, undefined, { signal })
  }
  const touch = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, touchInterval * 1000)
  touch.unref()
  try {
    return await work()
  } finally {
    clearInterval(touch)
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(`${process.pid} ${hostname()}`)
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function isStale(path: string): Promise<boolean> {
  const [text, age] = await Promise.all([
    readFile(path, 'utf8').catch(() => ''),
    stat(path).then(
      ({ mtimeMs }) => (Date.now() - mtimeMs) / 1000,
      () => 0,
    ),
  ])
  const [pid, host] = text.split(' ')
  return age > staleAfter || (host === hostname() && !isAlive(Number(pid)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
