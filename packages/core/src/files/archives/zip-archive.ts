/** The members of a zip archive, read one by one where they are wanted: archives of weights are larger than memory. */
import { shortText } from '../../text.ts'
import type { OpenFile } from '../disk/disk.ts'

export interface ZipArchive {
  /** Sizes of the members, unpacked, by their names. */
  sizes: ReadonlyMap<string, number>
  /**
   * A member's bytes, compared with its checksum.
   *
   * @throws when there is none of that name, or it is damaged
   */
  read(name: string): Promise<Uint8Array>
}

/**
 * Reads an archive's directory. The file stays the caller's to close.
 *
 * @param source what errors call it
 * @throws when it is no zip archive, or cut off
 */
export async function openZip(file: OpenFile, source: string): Promise<ZipArchive> {
  const { Reader, Uint8ArrayWriter, ZipReader } = await import('@zip.js/zip.js') // a page loads it with its first archive
  class FileReader extends Reader<OpenFile> {
    override size = file.size

    override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, file.size - index)))
      for (let at = 0; at < bytes.length; ) {
        const count = await file.read(bytes.subarray(at), index + at)
        if (count === 0) throw new Error(`${source} was cut off while it was being read.`)
        at += count
      }
      return bytes
    }
  }
  const damaged = (error: unknown, what = 'is no zip archive, or is damaged'): Error =>
    new Error(`${source} ${what}: ${shortText((error as Error).message)}.`, { cause: error })
  const entries = await new ZipReader(new FileReader(file), { useWebWorkers: false, checkSignature: true })
    .getEntries()
    .catch(error => {
      throw damaged(error)
    })
  const members = new Map(entries.flatMap(entry => (entry.directory ? [] : [[entry.filename, entry] as const])))
  return {
    sizes: new Map([...members].map(([name, { uncompressedSize }]) => [name, uncompressedSize])),
    async read(name) {
      const member = members.get(name)
      if (!member) throw new Error(`${source} has no member ${shortText(name)}.`)
      try {
        return await member.getData(new Uint8ArrayWriter())
      } catch (error) {
        throw damaged(error, `has a damaged member ${shortText(name)}`)
      }
    },
  }
}
