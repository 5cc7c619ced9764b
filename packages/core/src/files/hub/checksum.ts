/**
 * A safetensors file's own checksum: the SHA-256 of all its bytes, with the checksum's 64 hex digits taken as zeros.
 *
 * It is a field of the metadata, so it comes and goes with the file, and every reader of the format opens the file. It is
 * the first one, so its digits are bytes 42 to 105 of each file: it is found and compared before anything of the header
 * is understood, and a flipped bit is seen wherever it is, in the header and in the field's name too. By hand the first
 * command shows it, and the second computes it:
 *
 *     head -c 106 FILE | tail -c 64
 *     { head -c 42 FILE; printf %064d 0; tail -c +107 FILE; } | sha256sum
 */
import { createSha256 } from '#platform'

/** No other program has one of this name, unless it copies ours. */
export const checksumField = 'vitral_sha256'

/** In place of the digits until they are computed. */
export const noChecksum: string = '0'.repeat(64)

const afterLength = 8
const opening = new TextEncoder().encode(`{"__metadata__":{"${checksumField}":"`)
const begin = afterLength + opening.length
const end = begin + noChecksum.length

/** Whether a file begins as those with a checksum do; one byte of the beginning may be damaged. */
export function hasChecksum(bytes: Uint8Array): boolean {
  const others = opening.filter((byte, i) => bytes[afterLength + i] !== byte)
  return others.length <= 1
}

/** The checksum of a file whose bytes come in pieces, in order, and the one that it holds. */
export class FileChecksum {
  readonly #hash = createSha256()
  readonly #held = new Uint8Array(noChecksum.length)
  #position = 0

  update(bytes: Uint8Array): void {
    const inBytes = (position: number): number => Math.min(Math.max(position - this.#position, 0), bytes.length)
    const [from, to] = [inBytes(begin), inBytes(end)]
    if (from < to) this.#held.set(bytes.subarray(from, to), this.#position + from - begin)
    for (const piece of [bytes.subarray(0, from), zeros.subarray(0, to - from), bytes.subarray(to)])
      if (piece.length > 0) this.#hash.update(piece)
    this.#position += bytes.length
  }

  /** The checksum of all bytes so far; ends it. */
  hex(): string {
    return this.#hash.hex()
  }

  /** Whether the file holds the checksum of its bytes; ends it. */
  matches(): boolean {
    return this.hex() === new TextDecoder().decode(this.#held)
  }
}

const zeros = new TextEncoder().encode(noChecksum)

/** Puts the checksum of a file that is still in pieces into the first of them, which holds the header. */
export function putChecksum(pieces: readonly [Uint8Array, ...Uint8Array[]]): void {
  const checksum = new FileChecksum()
  for (const piece of pieces) checksum.update(piece)
  pieces[0].set(new TextEncoder().encode(checksum.hex()), begin)
}
