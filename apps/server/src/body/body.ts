/** Reads a request's body: never more of it than is allowed, by no request for longer than its bytes explain. */
import type { Context } from 'hono'
import { RequestError } from '../errors.ts'
import { releaseBuffer } from '../ipc/release-buffer.ts'
import type { Services } from '../services.ts'

/** Bytes of a body that is read without a look at its pieces, as it cannot become much. */
const small = 128 * 1024
/** Bytes in which pieces are put together: each by itself would take a hundred more, and a client may send bytes one by one. */
const blockSize = 64 * 1024

interface BodyOptions {
  maxBytes: number
  /** Sees the bytes in the order in which they come, so that a body is refused before all of it is there. */
  watch?(bytes: Uint8Array): void
}

/**
 * Calls `use` with the whole body; its bytes count as taken until that is done.
 *
 * @throws RequestError for a body that is compressed, larger than `maxBytes`, or too slow
 */
export async function withBody<Result>(
  { req: { raw } }: Context,
  { budget, config }: Services,
  { maxBytes, watch }: BodyOptions,
  use: (body: Uint8Array<ArrayBuffer>) => Promise<Result>,
): Promise<Result> {
  const encoding = raw.headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity')
    throw new RequestError('unsupported_encoding', 'The body is compressed; expected it as it is.')
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
    // Without waiting: a client that sends nothing does not end its body either.
    reader?.cancel().catch(() => {})
    throw raw.signal.aborted ? new RequestError('cancelled', 'The client has gone.', { cause: error }) : error
  } finally {
    budget.release(size)
  }
}

/** @param size bytes that are in the blocks */
function append(blocks: Uint8Array[], size: number, piece: Uint8Array): void {
  for (let done = 0; done < piece.length; ) {
    const at = (size + done) % blockSize
    if (at === 0) blocks.push(new Uint8Array(blockSize))
    const part = piece.subarray(done, done + blockSize - at)
    blocks.at(-1)?.set(part, at)
    done += part.length
  }
}

/** The blocks' memory is given back, so that the body is there twice for no longer than this. */
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
