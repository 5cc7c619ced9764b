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

/** Whether the checksum that a file has is that of its bytes. */
export async function matchesChecksum(bytes: Uint8Array): Promise<boolean> {
  return (await checksumOf([bytes])) === new TextDecoder().decode(bytes.subarray(begin, end))
}

/** Puts the checksum of a file that is still in pieces into the first of them, which holds the header. */
export async function putChecksum(pieces: readonly [Uint8Array, ...Uint8Array[]]): Promise<void> {
  pieces[0].set(new TextEncoder().encode(await checksumOf(pieces)), begin)
}

async function checksumOf([first, ...rest]: readonly [Uint8Array, ...Uint8Array[]]): Promise<string> {
  const hash = createSha256()
  const digits = new TextEncoder().encode(noChecksum)
  for (const piece of [first.subarray(0, begin), digits, first.subarray(end), ...rest]) hash.update(piece)
  return hash.hex()
}
