/** Takes named files out of a tar archive (POSIX ustar), and nothing else: no path of the archive is ever followed. */
import { type FileHandle, open } from 'node:fs/promises'

const block = 512

export interface ExtractOptions {
  /** Entry in the archive → path on the disk, which must not exist yet. */
  files: ReadonlyMap<string, string>
  /** Limit on the archive's unpacked size, so that a small file cannot fill the disk. */
  maxBytes: number
}

/**
 * Writes the files; entries that are not asked for are passed over.
 *
 * @throws when a file is missing, the archive is malformed or cut off, or it passes the limit
 */
export async function extractFiles(
  archive: AsyncIterable<Uint8Array>,
  { files, maxBytes }: ExtractOptions,
): Promise<void> {
  const reader = new Reader(archive, maxBytes)
  const missing = new Set(files.keys())
  for (;;) {
    const header = await reader.readBlock()
    if (!header || header.every(byte => byte === 0)) break
    const { name, size, isFile } = parseHeader(header)
    const path = isFile ? files.get(name) : undefined
    if (path === undefined) await reader.copy(size)
    else {
      const file = await open(path, 'wx')
      try {
        await reader.copy(size, file)
        await file.sync()
      } finally {
        await file.close()
      }
      missing.delete(name)
    }
    await reader.copy(-size & (block - 1)) // entries end on a block
  }
  if (missing.size > 0) throw new Error(`the archive has no ${[...missing].join(', ')}`)
}

function parseHeader(header: Uint8Array): { name: string; size: number; isFile: boolean } {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0)
  if (sum !== octal(header, 148, 8)) throw new Error('it is not a tar archive, or it is damaged')
  const prefix = text(header, 345, 155)
  const name = text(header, 0, 100)
  const type = header[156]
  return {
    name: text(header, 257, 5) === 'ustar' && prefix ? `${prefix}/${name}` : name,
    size: octal(header, 124, 12),
    isFile: type === 0 || type === 0x30,
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}

function octal(header: Uint8Array, start: number, length: number): number {
  const digits = text(header, start, length).trim()
  if (!/^[0-7]+$/.test(digits)) throw new Error(`it is not a tar archive, or it is damaged: '${digits}' is no number`)
  return Number.parseInt(digits, 8)
}

/** Hands out a stream's bytes in the lengths asked for. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #maxBytes: number
  #rest: Uint8Array = new Uint8Array(0)
  #taken = 0

  constructor(archive: AsyncIterable<Uint8Array>, maxBytes: number) {
    this.#chunks = archive[Symbol.asyncIterator]()
    this.#maxBytes = maxBytes
  }

  /** @returns undefined at the end of the archive */
  async readBlock(): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(block)
    for (let got = 0; got < block; ) {
      const piece = await this.#take(block - got)
      if (!piece && got === 0) return undefined
      if (!piece) throw cutOff()
      bytes.set(piece, got)
      got += piece.length
    }
    return bytes
  }

  /** Moves bytes to a file, or past. */
  async copy(length: number, file?: FileHandle): Promise<void> {
    for (let left = length; left > 0; ) {
      const piece = await this.#take(left)
      if (!piece) throw cutOff()
      left -= piece.length
      if (file) for (let rest = piece; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
    }
  }

  async #take(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return undefined
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(piece.length)
    this.#taken += piece.length
    if (this.#taken > this.#maxBytes) throw new Error(`it unpacks to more than ${this.#maxBytes} bytes`)
    return piece
  }
}

const cutOff = (): Error => new Error('it is cut off')
