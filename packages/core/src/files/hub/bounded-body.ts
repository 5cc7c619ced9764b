/** The bytes of an answer, as far as they are wanted: a server that sends more than it announced cannot fill the disk. */

/** More came, or was announced, than is taken. */
export class TooManyBytesError extends Error {
  /** Name of the error's class. */
  override readonly name = 'TooManyBytesError'
}

/** Limits of a download, and what errors need to name it. */
export interface BodyBounds {
  /** Address of the body, for errors. */
  url: string
  /** Bytes that an earlier attempt has brought. @default 0 */
  from?: number
  /** Size of the whole file, where the server has said it. */
  announced?: number
  /** Most bytes that the whole file may have. */
  limit: number
}

/**
 * Passes a body's chunks on up to the size that was announced, and the limit.
 *
 * @throws TooManyBytesError before any byte where too many are announced, and at the first byte that is too many
 */
export async function* boundedBody(
  body: AsyncIterable<Uint8Array>,
  { url, from = 0, announced, limit }: BodyBounds,
): AsyncGenerator<Uint8Array> {
  if (announced !== undefined && announced > limit)
    throw new TooManyBytesError(
      `${url} announces ${count(announced)} bytes; no more than ${count(limit)} are taken of it.`,
    )
  let received = from
  for await (const chunk of body) {
    received += chunk.length
    if (announced !== undefined && received > announced)
      throw new TooManyBytesError(`${url} sends more than the ${count(announced)} bytes it announced.`)
    if (received > limit)
      throw new TooManyBytesError(`${url} sends more than ${count(limit)} bytes, the most it may have.`)
    yield chunk
  }
}

const count = (bytes: number): string => bytes.toLocaleString('en-US')
