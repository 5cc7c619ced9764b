/** A folder of this site's storage as one file to download. */
import { disk, type OpenFile } from '@vitral/core/files'
import { downloadZip } from 'client-zip'

/** Bytes that are read at a time. */
const chunkBytes = 2 ** 22

/**
 * All files of a folder, such as a run's `best`, as a zip in which they are in a folder of the same name. Weights do not
 * compress, and are stored as they are; unpacked, a model folder opens with `vitral serve` and `fromPretrained`.
 *
 * @param name of the folder in the zip @default that of the folder
 * @throws when there is no such folder, or no file in it
 * @example
 * const zip = await zipFolder('runs/pets/best', { name: 'pets' })
 * link.href = URL.createObjectURL(zip) // with link.download = 'pets.zip'
 */
export async function zipFolder(folder: string, { name }: { name?: string } = {}): Promise<Blob> {
  if (!(await disk.exists(folder)))
    throw new Error(`There is no folder ${folder} in this site's storage; expected one such as the best of a run.`)
  const paths = await disk.files(folder)
  if (paths.length === 0) throw new Error(`${folder} has no file to put into a zip.`)
  const top = name ?? disk.basename(folder)
  return downloadZip(entries(folder, paths, top)).blob()
}

async function* entries(folder: string, paths: readonly string[], top: string) {
  for (const path of paths) {
    const file = await disk.open(disk.join(folder, path))
    try {
      yield { name: `${top}/${path}`, input: chunksOf(file), size: file.size }
    } finally {
      await file.close()
    }
  }
}

async function* chunksOf(file: OpenFile): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let position = 0; position < file.size; ) {
    const chunk = new Uint8Array(Math.min(chunkBytes, file.size - position))
    const read = await file.read(chunk, position)
    if (read === 0) throw new Error('A file was cut off while it was being read.')
    position += read
    yield chunk.subarray(0, read)
  }
}
