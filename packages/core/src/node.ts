/** What Vitral's own packages share in Node and Bun, and no browser has: locks by files, and downloads. */

export { type BodyBounds, boundedBody, TooManyBytesError } from './files/hub/bounded-body.ts'
export { proxiedFetch, proxyVariable, statusLine } from './files/hub/proxied-fetch.ts'
export { type FileLock, type Lease, type LockOptions, takeLock, withLock } from './files/lock/file-lock.ts'
