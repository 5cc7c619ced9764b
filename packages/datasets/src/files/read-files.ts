/** What several readers need to say about a file that is not what its name promises. */
import { open, readFile, stat } from 'node:fs/promises'
import { describeForeignBytes } from './foreign-file.ts'

/** Names a well-known kind of file by its first bytes, for error messages; undefined when it is none of them. */
export async function describeForeignFile(path: string): Promise<string | undefined> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(256), 0, 256, 0)
    return describeForeignBytes(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Reads a file whose size is known. @throws when it is shorter */
export async function readWhole(path: string, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  const file = await open(path)
  try {
    for (let got = 0; got < size; ) {
      const { bytesRead } = await file.read(bytes, got, size - got, got)
      if (bytesRead === 0) throw new Error(`${path} ended after ${got} bytes; expected ${size}.`)
      got += bytesRead
    }
  } finally {
    await file.close()
  }
  return bytes
}

/** @throws naming the file when it is not UTF-8. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`${path} is not text.`)
    throw error
  }
}
