/** CIFAR-10 from its home, or a mirror of it. */
import { join } from 'node:path'
import { type Archive, getArchive } from './archive.ts'
import { checkCifar10, cifar10Files, cifar10Folder } from './cifar.ts'
import type { DownloadOptions } from './download.ts'

/** The binary version, 170 MB. */
const cifar10Archive: Archive = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  folder: cifar10Folder,
  files: cifar10Files,
  maxBytes: 200_000_000,
}

export interface DownloadCifar10Options extends Pick<DownloadOptions, 'onProgress' | 'signal'> {
  /** A mirror with the same archive. @default the official address */
  url?: string
}

/**
 * Downloads CIFAR-10 unless the folder has it already. A download that broke off is resumed; the archive's md5 is checked.
 *
 * @param folder where `cifar-10-batches-bin` is made
 * @returns the path of `cifar-10-batches-bin`, for openCifar10
 * @throws when the server cannot be reached, or sends something else
 * @example
 * const folder = await downloadCifar10('data', { onProgress: ({ received, total }) => console.log(received, total) })
 */
export async function downloadCifar10(
  folder: string,
  { url = cifar10Archive.url, ...options }: DownloadCifar10Options = {},
): Promise<string> {
  const target = join(folder, cifar10Folder)
  if (await isComplete(target)) return target
  await getArchive(folder, { ...cifar10Archive, url }, options)
  for (const split of ['train', 'test'] as const) await checkCifar10(target, split)
  return target
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    for (const split of ['train', 'test'] as const) await checkCifar10(folder, split)
    return true
  } catch {
    return false
  }
}
