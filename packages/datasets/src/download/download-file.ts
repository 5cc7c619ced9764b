/** Downloads one file: resumed where it broke off, verified before it gets its name. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { boundedBody, proxiedFetch, proxyVariable, statusLine, TooManyBytesError } from '@vitral/core/node'
import { rootMessage } from '@vitral/core/text'

/** Progress of a download, in bytes. */
export interface DownloadProgress {
  /** Name of the file. */
  file: string
  /** Bytes on the disk so far, those of an earlier attempt included. */
  received: number
  /** Absent when the server does not say. */
  total?: number
}

export interface DownloadOptions {
  url: string
  /** Checksum of the whole file, in hexadecimal. */
  md5: string
  /** Most bytes that the file may have. @default 1 GiB, more than any data set that Vitral knows */
  maxBytes?: number
  onProgress?: (progress: DownloadProgress) => void
  /** Stops the download; what has come stays for the next attempt. */
  signal?: AbortSignal
  /** Seconds without a byte after which a connection is taken for broken. @default 60 */
  idleSeconds?: number
  /** Seconds before going on where a connection broke, doubled each time. @default 1 */
  retrySeconds?: number
}

/** So often a download goes on by itself. */
const mostRetries = 4

/**
 * Downloads to `path`, unless the file is there; until the checksum is right the bytes are beside it, as `.incomplete`.
 *
 * @throws when the server cannot be reached or refuses, the connection breaks, more is sent than was announced or than
 * `maxBytes`, or the file arrives damaged
 */
export async function downloadFile(path: string, options: DownloadOptions): Promise<void> {
  const { url, md5 } = options
  if (existsSync(path) && (await md5Of(path)) === md5) return
  await mkdir(dirname(path), { recursive: true })
  const incomplete = `${path}.incomplete`
  await receiveAll(incomplete, basename(path), options)
  const actual = await md5Of(incomplete)
  if (actual !== md5) {
    await rm(incomplete, { force: true })
    throw new Error(
      `${url} arrived damaged: its md5 is ${actual}, expected ${md5}. It was deleted; run the same again.`,
    )
  }
  await rename(incomplete, path)
}

/** Goes on where the connection breaks; a server that cannot be reached at all is told at once. */
async function receiveAll(incomplete: string, name: string, options: DownloadOptions): Promise<void> {
  const { signal, retrySeconds = 1 } = options
  for (let broken = 0; ; broken++) {
    try {
      return await receive(incomplete, name, options)
    } catch (error) {
      if (error instanceof TooManyBytesError) await rm(incomplete, { force: true })
      if (
        error instanceof TooManyBytesError ||
        signal?.aborted ||
        broken === mostRetries ||
        !(error instanceof BrokenOff || broken > 0)
      )
        throw error
      await sleep(retrySeconds * 2 ** broken * 1000, undefined, { signal })
    }
  }
}

async function receive(incomplete: string, name: string, options: DownloadOptions): Promise<void> {
  const { url, maxBytes = 2 ** 30, onProgress, idleSeconds = 60 } = options
  const watch = watchIdle(idleSeconds, options.signal)
  try {
    await receiveRest(incomplete, name, { url, maxBytes, onProgress, signal: watch.signal }, watch.touch)
  } finally {
    watch.end()
  }
}

/** A signal that comes when nothing was touched for so long, or with the caller's. */
function watchIdle(seconds: number, signal?: AbortSignal): { signal: AbortSignal; touch: () => void; end: () => void } {
  const idle = new AbortController()
  const late = (): void => idle.abort(new Error(`nothing came for ${seconds} s`))
  let timer = setTimeout(late, seconds * 1000)
  return {
    signal: signal ? AbortSignal.any([idle.signal, signal]) : idle.signal,
    touch() {
      clearTimeout(timer)
      timer = setTimeout(late, seconds * 1000)
    },
    end: () => clearTimeout(timer),
  }
}

async function receiveRest(
  incomplete: string,
  name: string,
  { url, maxBytes, onProgress, signal }: Pick<DownloadOptions, 'url' | 'onProgress' | 'signal'> & { maxBytes: number },
  touch: () => void,
): Promise<void> {
  const offset = await stat(incomplete).then(
    ({ size }) => size,
    () => 0,
  )
  const response = await request(url, offset, signal)
  if (response.status === 416) return // nothing is missing, or too much is there: the checksum tells
  if (!response.ok || !response.body) throw new Error(`${url} answered ${statusLine(response)}.`)
  const resumed = response.status === 206 // else the server sends the whole file, whatever it was asked
  let received = resumed ? offset : 0
  const total = announcedSize(response, received)
  const file = await open(incomplete, resumed ? 'a' : 'w')
  try {
    const body = response.body as unknown as AsyncIterable<Uint8Array>
    for await (const chunk of boundedBody(body, { url, from: received, announced: total, limit: maxBytes })) {
      for (let rest = chunk; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
      touch()
      received += chunk.length
      onProgress?.({ file: name, received, total })
    }
    await file.sync()
  } catch (error) {
    throw error instanceof TooManyBytesError ? error : brokenOff(url, received, total, error)
  } finally {
    await file.close()
  }
  if (total !== undefined && received < total) throw brokenOff(url, received, total)
}

/** The whole file's, by the length of what comes or, of a part in chunks, by its range. */
function announcedSize({ headers }: Response, received: number): number | undefined {
  const [length, range] = ['content-length', 'content-range'].map(name => headers.get(name))
  if (length) return received + Number(length)
  const whole = /\/(\d+)$/.exec(range ?? '')?.[1]
  return whole === undefined ? undefined : Number(whole)
}

class BrokenOff extends Error {}

function brokenOff(url: string, received: number, total?: number, cause?: unknown): BrokenOff {
  const of = total === undefined ? '' : ` of ${total}`
  const why = cause ? ` (${(cause as Error).message})` : ''
  return new BrokenOff(`${url} broke off after ${received}${of} bytes${why}; run the same again to go on from there.`, {
    cause,
  })
}

async function request(url: string, offset: number, signal?: AbortSignal): Promise<Response> {
  try {
    // The bytes of the file: of packed ones neither the place to go on from nor the length would be right.
    const headers = { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) }
    return await proxiedFetch(url, { signal, headers })
  } catch (error) {
    const proxy = proxyVariable(new URL(url))
    throw new Error(`${url} cannot be reached${proxy ? ` through ${proxy}` : ''} (${rootMessage(error)}).`, {
      cause: error,
    })
  }
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
