/** What Vitral's own packages share in Node and Bun, and no browser has: locks by files, and requests through proxies. */

export { type FileLock, type Lease, type LockOptions, takeLock, withLock } from './files/file-lock.ts'
