/** Downloads one file of the hub into the cache: resumed where it broke off, verified before it gets its name. */
import { createHash } from 'node:crypto'
import { constants, createReadStream, existsSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { withLock } from '../lock/file-lock.ts'
import { boundedBody, TooManyBytesError } from './bounded-body.ts'
import type { HubEnvironment, RepositoryCache } from './hub-cache.ts'
import { ask, failure, HubUnavailableError, refusal, Silence } from './hub-request.ts'
import { statusLine } from './proxied-fetch.ts'

export interface DownloadProgress {
  file: string
  /** Bytes on the disk so far, those of an earlier attempt included. */
  received: number
  total: number
}

export interface RemoteFile {
  url: string
  file: string
  commit: string
  /** sha256 of a large file, git's blob sha1 of a small one. */
  checksum: string
  size: number
}

/**
 * Asks the hub what a file is.
 *
 * @returns undefined when the repository has no such file
 * @throws when the hub cannot be reached, and when it refuses, with what to do
 */
export async function describeFile(
  environment: HubEnvironment,
  id: string,
  revision: string,
  file: string,
): Promise<RemoteFile | undefined> {
  const { endpoint, timeoutSeconds } = environment
  const url = `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${file}`
  const silence = new Silence(timeoutSeconds)
  // A large file's description is on the redirect to where it is; a renamed repository's redirect describes nothing.
  const isAnswer = ({ headers }: Response, { origin }: URL): boolean =>
    headers.has('x-linked-etag') || origin !== new URL(endpoint).origin
  const response = await ask(environment, url, { method: 'HEAD', silence, isAnswer }).finally(() => silence.end())
  const { status, headers } = response
  if (status === 404 && !/^(Repo|Revision)NotFound$/.test(headers.get('x-error-code') ?? '')) return undefined
  if (status >= 400) throw refusal(response, id, revision, endpoint)
  const checksum = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '')
  const size = headers.get('x-linked-size') ?? headers.get('content-length') ?? ''
  const commit = headers.get('x-repo-commit') ?? ''
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum) || !/^[0-9a-f]{40}$/.test(commit) || !/^[1-9]\d*$/.test(size))
    throw new Error(
      `${url} came without the checksum, size and commit that a Hugging Face hub sends; is HF_ENDPOINT right?`,
    )
  return { url: `${endpoint}/${id}/resolve/${commit}/${file}`, file, commit, checksum, size: Number(size) }
}

/**
 * Downloads a file unless the cache has it. The bytes are beside it as `.incomplete` until their checksum is right.
 * Several processes that want the same file wait for the one that downloads it.
 *
 * @throws when the hub cannot be reached or refuses, the connection breaks, more is sent than was announced, or the file
 * arrives damaged
 */
export async function downloadFile(
  environment: HubEnvironment,
  cache: RepositoryCache,
  remote: RemoteFile,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const blob = cache.blob(remote.checksum)
  if (!existsSync(blob))
    await withLock(cache.lock(remote.checksum), {}, async () => {
      if (existsSync(blob)) return // another process was first
      await mkdir(dirname(blob), { recursive: true })
      const incomplete = `${blob}.incomplete`
      await receive(environment, remote, incomplete, onProgress)
      await verify(incomplete, remote)
      await rename(incomplete, blob)
    })
  await cache.link(remote.commit, remote.file, remote.checksum)
}

async function receive(
  environment: HubEnvironment,
  { url, file: name, size }: RemoteFile,
  incomplete: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const file = await open(incomplete, constants.O_RDWR | constants.O_CREAT)
  const silence = new Silence(environment.timeoutSeconds)
  try {
    const had = (await file.stat()).size
    if (had > size) await file.truncate(0) // no part of this file
    const from = had > size ? 0 : had
    if (from === size) return
    const response = await ask(environment, url, { from, silence })
    if (response.status >= 400) throw failure(response.status, `${url} answered ${statusLine(response)}.`)
    let received = response.status === 206 ? from : 0 // a server may send the whole file, whatever it was asked
    for await (const chunk of boundedBody(untilBroken(response), {
      url,
      from: received,
      announced: size,
      limit: size,
    })) {
      silence.heard()
      for (let rest = chunk; rest.length > 0; ) {
        const { bytesWritten } = await file.write(rest, 0, rest.length, received)
        rest = rest.subarray(bytesWritten)
        received += bytesWritten
      }
      onProgress?.({ file: name, received, total: size })
    }
    await file.sync()
    if (received < size)
      throw new HubUnavailableError(
        `The connection broke after ${received} of ${size} bytes of ${name}; run the same again to go on from there.`,
      )
  } catch (error) {
    if (error instanceof TooManyBytesError) await rm(incomplete, { force: true })
    throw error
  } finally {
    silence.end()
    await file.close()
  }
}

/** A body's bytes as far as they come: the reader counts them, and keeps them for the next attempt. */
async function* untilBroken({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  try {
    while (reader) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (done || !value) return
      yield value
    }
  } finally {
    await reader?.cancel().catch(() => {}) // nothing more is wanted of it, broken or not
  }
}

async function verify(incomplete: string, { url, checksum, size }: RemoteFile): Promise<void> {
  const { size: received } = await stat(incomplete)
  const actual = await checksumOf(incomplete, checksum, received)
  if (received === size && actual === checksum) return
  await rm(incomplete, { force: true })
  throw new Error(
    `${url} arrived damaged: ${received} bytes with checksum ${actual}, expected ${size} with ${checksum}. It was deleted; run the same again.`,
  )
}

/** git's blob checksum covers a header; sha256 the bytes alone. */
async function checksumOf(path: string, expected: string, size: number): Promise<string> {
  const hash = expected.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
