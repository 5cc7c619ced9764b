/** Brings one file into the store: gone on with where the connection broke, verified before it counts as whole. */
import { network } from '#network'
import { boundedBody, TooManyBytesError } from './bounded-body.ts'
import { announcedSize, ask, failure, HubUnavailableError, type Server, Silence } from './hub-request.ts'
import type { IncomingFile, ModelStore } from './model-store.ts'
import type { RemoteFile } from './origin.ts'
import { checkBeginning, verifyContent } from './verify-content.ts'

/** How much of a file has arrived. */
export interface DownloadProgress {
  /** Name of the file. */
  file: string
  /** Bytes that have arrived, those of an earlier attempt included. */
  received: number
  /** Bytes of the whole file; of a small one whose server does not say them, those that have arrived. */
  total: number
}

export interface ReceiveOptions {
  server: Server
  /** What messages call the file. */
  path: string
  /** Most bytes it may have. */
  limit: number
  timeoutSeconds: number
  signal?: AbortSignal | undefined
  onProgress?: ((progress: DownloadProgress) => void) | undefined
}

/** A body that ended before the file did. */
class BrokenTransferError extends HubUnavailableError {}

/**
 * Downloads a file, unless the store has it.
 *
 * @throws when the server cannot be reached or refuses, the connection breaks and no attempt brings more, more is sent
 * than was announced, or the file arrives damaged; and the signal's reason
 */
export async function receiveFile(store: ModelStore, remote: RemoteFile, options: ReceiveOptions): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const content = await store.open(remote.key)
    await content?.close()
    return content !== undefined
  }
  if (await isThere()) return
  await store.whileLocked(remote.key, options.signal, async () => {
    if (await isThere()) return // another process was first
    const incoming = await store.receive(remote.key)
    try {
      if (remote.size !== undefined && incoming.received > remote.size) await incoming.restart() // no part of this file
      await resumed(incoming, remote, options)
      await discardUnless(incoming, () => verifyContent(incoming, remote, options))
      await incoming.complete()
    } finally {
      await incoming.close()
    }
  })
}

/** Attempts in a row that may bring nothing new. */
const fruitlessAttempts = 3

/** Goes on after each break, as long as that brings more. */
async function resumed(incoming: IncomingFile, remote: RemoteFile, options: ReceiveOptions): Promise<void> {
  let [most, fruitless, restarts] = [incoming.received, 0, 0]
  while (incoming.received !== remote.size) {
    try {
      if (await transfer(incoming, remote, options)) return
      if (++restarts > 1)
        throw new Error(`${options.path} is another file each time it is asked for; run the same again.`)
    } catch (error) {
      fruitless = incoming.received > most ? 0 : fruitless + 1
      if (!(error instanceof BrokenTransferError) || fruitless === fruitlessAttempts) throw error
      most = Math.max(most, incoming.received)
    }
  }
}

/** What is wrong from its first byte on is of no use to another attempt. */
async function discardUnless<T>(incoming: IncomingFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await incoming.restart()
    throw error
  }
}

/** @returns whether the file is whole; else it begins anew */
async function transfer(incoming: IncomingFile, remote: RemoteFile, options: ReceiveOptions): Promise<boolean> {
  const { url, file, size } = remote
  const { server, path, limit, signal, onProgress } = options
  const silence = new Silence(options.timeoutSeconds, signal)
  try {
    const from = incoming.received
    const response = await ask(server, url, { ...(from > 0 && { range: `${from}-` }), silence })
    if (from > 0 && !goesOn(response, from, size)) {
      await incoming.restart() // the server sends all of it, whatever it was asked, or has another file now
      if (response.status !== 200) {
        await response.body?.cancel()
        if (response.status < 400 || response.status === 416) return false
      }
    }
    if (response.status >= 400) throw failure(response.status, `${path} answered ${network.statusLine(response)}.`)
    const length = announcedSize(response)
    // Small files may come compressed from another site, whose length alone is then seen.
    const announced = size ?? (length === undefined || file.endsWith('.json') ? undefined : incoming.received + length)
    const bounds = { url: path, from: incoming.received, ...(announced !== undefined && { announced }), limit }
    for await (const chunk of boundedBody(untilBroken(response, silence), bounds)) {
      silence.heard()
      if (incoming.received === 0) await discardUnless(incoming, async () => checkBeginning(chunk, remote, path))
      await incoming.append(chunk)
      onProgress?.({ file, received: incoming.received, total: announced ?? incoming.received })
    }
    if (announced !== undefined && incoming.received < announced)
      throw new BrokenTransferError(
        `The connection broke after ${incoming.received} of ${announced} bytes of ${file}; run the same again to go on from there.`,
      )
    return true
  } catch (error) {
    if (error instanceof TooManyBytesError) await incoming.restart()
    throw error
  } finally {
    silence.end()
  }
}

/** Whether an answer is the rest of the file from there on. */
function goesOn({ status, headers }: Response, from: number, size: number | undefined): boolean {
  if (status !== 206) return false
  const [, begin, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
  if (begin === undefined) return true // a server of another site may not show it; then the checks of the whole tell
  return Number(begin) === from && (total === '*' || size === undefined || Number(total) === size)
}

/** A body's bytes as far as they come: the reader counts them, and keeps them for the next attempt. */
async function* untilBroken({ body }: Response, silence: Silence): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  try {
    while (reader) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      silence.throwIfGivenUp()
      if (done || !value) return
      yield value
    }
  } finally {
    reader?.cancel().catch(() => {}) // nothing more is wanted of it, broken or not
  }
}
