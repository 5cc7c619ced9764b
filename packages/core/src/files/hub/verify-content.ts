/** Whether a file that arrived is what its server has: its size, the server's checksum, and Vitral's own in the file. */
import { createSha256 } from '#platform'
import type { OpenFile } from '../disk/disk.ts'
import { headerEndOf } from '../safetensors/safetensors.ts'
import { readSafetensorsHeader } from '../safetensors/safetensors-file.ts'
import { FileChecksum, hasChecksum } from './checksum.ts'
import type { IncomingFile } from './model-store.ts'
import type { RemoteFile } from './origin.ts'

/** In memory at a time. */
const portion = 2 ** 20

/**
 * Looks at the first bytes, so that gigabytes of something else are not downloaded.
 *
 * @throws when they begin no safetensors file
 */
export function checkBeginning(chunk: Uint8Array, { file, size }: RemoteFile, path: string): void {
  if (!file.endsWith('.safetensors') || chunk.length < 8) return
  const text = new TextDecoder('latin1').decode(chunk.subarray(0, 64))
  if (text.startsWith('version https://git-lfs'))
    throw new Error(
      `${path} is a pointer of Git LFS, whose file the server does not have; fetch it there with git lfs pull.`,
    )
  if (/^\s*<(!doctype|html)/i.test(text)) throw new Error(`${path} is a web page; expected a safetensors file.`)
  headerEndOf(chunk, size ?? Infinity, path)
}

/**
 * Compares a file with what is known of it.
 *
 * @throws when it arrived damaged, with what to do
 */
export async function verifyContent(
  incoming: IncomingFile,
  { checksum, size, file }: RemoteFile,
  { path, signal }: { path: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const content = await incoming.open()
  try {
    const damaged = (what: string): Error =>
      new Error(`${path} arrived damaged: ${what}. It was deleted; run the same again.`)
    if (size !== undefined && content.size !== size) throw damaged(`${content.size} bytes, expected ${size}`)
    if (checksum?.length === 40) {
      const actual = await gitChecksum(content, signal)
      if (actual !== undefined && actual !== checksum)
        throw damaged(
          `${content.size} bytes with checksum ${actual}, expected ${size ?? content.size} with ${checksum}`,
        )
    }
    const isWeights = file.endsWith('.safetensors')
    const own = isWeights && (await isOurs(content)) ? new FileChecksum() : undefined
    const whole = checksum?.length === 64 ? createSha256() : undefined
    if (own ?? whole)
      for await (const bytes of portionsOf(content, signal)) {
        own?.update(bytes)
        whole?.update(bytes)
      }
    const actual = whole?.hex()
    if (actual !== checksum && whole)
      throw damaged(`${content.size} bytes with checksum ${actual}, expected ${size ?? content.size} with ${checksum}`)
    if (own && !own.matches()) throw damaged('its content does not match the checksum in it')
    if (isWeights) await readSafetensorsHeader(content, path) // says where it was cut off, if nothing else does
  } finally {
    await content.close()
  }
}

async function isOurs(content: OpenFile): Promise<boolean> {
  const start = new Uint8Array(256)
  await content.read(start, 0)
  return hasChecksum(start)
}

/** One buffer, filled again and again. */
async function* portionsOf(content: OpenFile, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(portion, content.size))
  for (let position = 0; position < content.size; ) {
    signal?.throwIfAborted()
    const count = await content.read(buffer, position)
    if (count === 0) return
    yield buffer.subarray(0, count)
    position += count
  }
}

/** SHA-1 over a header and the bytes, as git names what it stores; undefined where a page may not compute it. */
async function gitChecksum(content: OpenFile, signal: AbortSignal | undefined): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle
  if (!subtle) return undefined // it takes https, or this machine
  const header = new TextEncoder().encode(`blob ${content.size}\0`)
  const bytes = new Uint8Array(header.length + content.size)
  bytes.set(header)
  let position = header.length
  for await (const piece of portionsOf(content, signal)) {
    bytes.set(piece, position)
    position += piece.length
  }
  const digest = new Uint8Array(await subtle.digest('SHA-1', bytes))
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}
