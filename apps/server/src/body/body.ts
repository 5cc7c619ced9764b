/** Reads a request's body, with limits on its size and on the time that its bytes may take. */
import type { Context } from 'hono'
import { RequestError } from '../errors.ts'
import { releaseBuffer } from '../ipc/release-buffer.ts'
import type { Services } from '../services.ts'

/** Largest body, in bytes, that is read at once: it is too small to be counted chunk by chunk. */
const small = 128 * 1024
/** Bytes of a block that collects chunks: a chunk takes a hundred bytes beside its own, and a client may send single bytes. */
const blockSize = 64 * 1024

interface BodyOptions {
  maxBytes: number
  /** Called with the bytes in order as they arrive, so that a body can be rejected before its end. */
  watch?(bytes: Uint8Array): void
}

/**
 * Calls `use` with the whole body; its bytes count against the budget until `use` is done.
 *
 * @throws RequestError if the body is compressed, larger than `maxBytes`, or too slow
 */
export async function withBody<Result>(
  { req: { raw } }: Context,
  { budget, config }: Services,
  { maxBytes, watch }: BodyOptions,
  use: (body: Uint8Array<ArrayBuffer>) => Promise<Result>,
): Promise<Result> {
  const encoding = raw.headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity')
    throw new RequestError('unsupported_encoding', 'The body is compressed; expected an uncompressed one.')
  const declared = Number(raw.headers.get('content-length') ?? Number.NaN)
  if (declared > maxBytes) throw tooLarge(maxBytes)
  const { uploadMilliseconds, uploadBytesPerSecond } = config.timeouts
  const allowed = uploadMilliseconds + ((Number.isNaN(declared) ? maxBytes : declared) / uploadBytesPerSecond) * 1000
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let size = 0
  const count = (bytes: Uint8Array): void => {
    if (size + bytes.length > maxBytes) throw tooLarge(maxBytes)
    budget.take(bytes.length)
    size += bytes.length
    watch?.(bytes)
  }
  const readAtOnce = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const body = new Uint8Array(await raw.arrayBuffer())
    count(body)
    return body
  }
  const readInPieces = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const blocks: Uint8Array[] = []
    reader = raw.body?.getReader()
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      const before = size
      count(read.value)
      append(blocks, before, read.value)
    }
    return join(blocks, size)
  }
  try {
    return await use(await within(allowed, declared <= small ? readAtOnce() : readInPieces()))
  } catch (error) {
    // The cancellation is not awaited: a client that sends nothing does not end its body either.
    reader?.cancel().catch(() => {})
    throw raw.signal.aborted
      ? new RequestError('cancelled', 'The client closed the connection.', { cause: error })
      : error
  } finally {
    budget.release(size)
  }
}

/** @param size bytes that the blocks hold already */
function append(blocks: Uint8Array[], size: number, piece: Uint8Array): void {
  for (let done = 0; done < piece.length; ) {
    const at = (size + done) % blockSize
    if (at === 0) blocks.push(new Uint8Array(blockSize))
    const part = piece.subarray(done, done + blockSize - at)
    blocks.at(-1)?.set(part, at)
    done += part.length
  }
}

/** Joins the blocks and releases their memory, so that the body is in memory twice for this moment only. */
function join(blocks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(size)
  for (const [i, block] of blocks.entries()) {
    joined.set(block.subarray(0, size - i * blockSize), i * blockSize)
    releaseBuffer(block)
  }
  return joined
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new RequestError('upload_timeout', `The body did not arrive within ${Math.ceil(milliseconds)} ms.`)),
    milliseconds,
  )
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const tooLarge = (maxBytes: number): RequestError =>
  new RequestError('body_too_large', `The body is larger than ${maxBytes} bytes.`)
