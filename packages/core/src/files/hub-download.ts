/** Downloads one file of the hub into the cache: resumed where it broke off, verified before it gets its name. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HubEnvironment, RepositoryCache } from './hub-cache.ts'

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

/** A hub that cannot be reached, in contrast to one that refuses. */
export class HubUnreachableError extends Error {
  override readonly name = 'HubUnreachableError'
}

/**
 * Asks the hub what a file is.
 *
 * @returns undefined when the repository has no such file
 * @throws when the hub cannot be reached, and when it refuses, with what to do
 */
export async function describeFile(
  { endpoint, token }: HubEnvironment,
  id: string,
  revision: string,
  file: string,
): Promise<RemoteFile | undefined> {
  const url = `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${file}`
  const response = await request(url, endpoint, { method: 'HEAD', headers: authorization(token) })
  if (response.status === 404 && response.headers.get('x-error-code') === 'EntryNotFound') return undefined
  if (response.status >= 400) throw refusal(response, id, revision, endpoint)
  const { headers } = response
  const checksum = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '')
  const size = Number(headers.get('x-linked-size') ?? headers.get('content-length'))
  const commit = headers.get('x-repo-commit')
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum) || !commit || !Number.isSafeInteger(size))
    throw new Error(
      `${url} came without the checksum, size and commit that a Hugging Face hub sends; is HF_ENDPOINT right?`,
    )
  return { url, file, commit, checksum, size }
}

/** Downloads a file unless the cache has it. The bytes are beside it as `.incomplete` until their checksum is right. */
export async function downloadFile(
  environment: HubEnvironment,
  cache: RepositoryCache,
  remote: RemoteFile,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const blob = cache.blob(remote.checksum)
  if (existsSync(blob)) return cache.link(remote.commit, remote.file, remote.checksum)
  await mkdir(dirname(blob), { recursive: true })
  const incomplete = `${blob}.incomplete`
  const had = existsSync(incomplete) ? (await stat(incomplete)).size : 0
  const offset = had <= remote.size ? had : 0
  if (offset < remote.size || had > remote.size) await receive(environment, remote, incomplete, offset, onProgress)
  const received = (await stat(incomplete)).size
  if (received < remote.size)
    throw new HubUnreachableError(
      `The connection broke after ${received} of ${remote.size} bytes of ${remote.file}; run the same again to go on from there.`,
    )
  const checksum = await checksumOf(incomplete, remote)
  if (received !== remote.size || checksum !== remote.checksum) {
    await rm(incomplete, { force: true })
    throw new Error(
      `${remote.url} arrived damaged: checksum ${checksum}, expected ${remote.checksum}. It was deleted; run the same again.`,
    )
  }
  await rename(incomplete, blob)
  await cache.link(remote.commit, remote.file, remote.checksum)
}

async function receive(
  { endpoint, token }: HubEnvironment,
  remote: RemoteFile,
  incomplete: string,
  offset: number,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const response = await follow(remote.url, endpoint, {
    ...authorization(token),
    ...(offset > 0 && { range: `bytes=${offset}-` }),
  })
  if (response.status >= 400) throw new Error(`${remote.url} answered ${response.status} ${response.statusText}.`)
  const resumed = response.status === 206 // else the server sends the whole file, whatever it was asked
  const file = await open(incomplete, resumed ? 'a' : 'w')
  let received = resumed ? offset : 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      for (let rest = chunk; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
      received += chunk.length
      onProgress?.({ file: remote.file, received, total: remote.size })
    }
    await file.sync()
  } catch {
    // The caller sees how many bytes there are, says so, and leaves them for the next attempt.
  } finally {
    await file.close()
  }
}

/** GET with redirects; the token stays with the host it was meant for. */
async function follow(url: string, endpoint: string, headers: Record<string, string>): Promise<Response> {
  let current = url
  for (let hops = 0; hops < 5; hops++) {
    const sameHost = new URL(current).host === new URL(url).host
    const { authorization: _, ...anonymous } = headers
    const response = await request(current, endpoint, { headers: sameHost ? headers : anonymous })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || !location) return response
    current = new URL(location, current).href
  }
  throw new Error(`${url} redirects more than 5 times.`)
}

async function request(url: string, endpoint: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual' })
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message
    throw new HubUnreachableError(
      `Cannot reach the hub at ${endpoint} (${cause}). Give a local model folder instead, or set HF_ENDPOINT to a mirror.`,
    )
  }
}

const authorization = (token?: string): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {})

/** git's blob checksum covers a header; sha256 the bytes alone. */
async function checksumOf(path: string, { checksum, size }: RemoteFile): Promise<string> {
  const hash = checksum.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function refusal(response: Response, id: string, revision: string, endpoint: string): Error {
  const message = response.headers.get('x-error-message') ?? response.statusText
  const code = response.headers.get('x-error-code')
  if (response.status === 401 || response.status === 403)
    return new Error(
      `${endpoint} refuses ${id} (${response.status}: ${message}): it does not exist, or it is private or gated and needs HF_TOKEN.`,
    )
  if (response.status === 404)
    return new Error(
      code === 'RevisionNotFound' ? `${id} has no revision '${revision}'.` : `${endpoint} has no model ${id}.`,
    )
  return new Error(`${endpoint} answered ${response.status} ${message} for ${id}.`)
}
