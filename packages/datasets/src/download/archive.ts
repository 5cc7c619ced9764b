/** Gets a data set that is published as a tar.gz: download, check, unpack aside, move into place. */
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type DownloadOptions, downloadFile } from './download-file.ts'
import { extractFiles } from './tar.ts'

export interface Archive {
  url: string
  md5: string
  /** The archive's own folder, and the folder that is made. */
  folder: string
  /** Files in it that are wanted. */
  files: readonly string[]
  /** Limit on its size, packed and unpacked. */
  maxBytes: number
}

/**
 * Downloads and unpacks into `parent`; files of an earlier attempt there are replaced, each at once.
 *
 * @returns the folder with the files
 */
export async function getArchive(
  parent: string,
  { url, md5, folder, files, maxBytes }: Archive,
  options: Pick<DownloadOptions, 'onProgress' | 'signal'> = {},
): Promise<string> {
  const target = join(parent, folder)
  const archive = join(parent, basename(new URL(url).pathname))
  await downloadFile(archive, { url, md5, maxBytes, ...options })
  const aside = await mkdtemp(join(parent, `${folder}.`))
  try {
    const wanted = new Map(files.map(file => [`${folder}/${file}`, join(aside, file)]))
    const unpack = (bytes: AsyncIterable<Uint8Array>): Promise<void> => extractFiles(bytes, { files: wanted, maxBytes })
    await pipeline(createReadStream(archive), createGunzip(), unpack)
    await mkdir(target, { recursive: true })
    for (const file of files) await rename(join(aside, file), join(target, file))
  } catch (error) {
    throw new Error(`${archive} cannot be unpacked: ${(error as Error).message}.`, { cause: error })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  await rm(archive)
  return target
}
