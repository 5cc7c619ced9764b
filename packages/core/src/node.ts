/** What Vitral's own packages share in Node and Bun, and no browser has: locks by files, and downloads. */

export { type BodyBounds, boundedBody, TooManyBytesError } from './files/bounded-body.ts'
export { type FileLock, type Lease, type LockOptions, takeLock, withLock } from './files/file-lock.ts'
export { proxiedFetch, proxyVariable, statusLine } from './files/proxied-fetch.ts'
