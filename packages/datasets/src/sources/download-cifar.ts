/** CIFAR-10 and CIFAR-100 from their home, or a mirror of it. */
import { join } from 'node:path'
import { withLock } from '@vitral/core/node'
import { getArchive } from '../download/archive.ts'
import type { DownloadOptions } from '../download/download-file.ts'
import { checkCifar } from './cifar-folder.ts'
import { type CifarLayout, cifar10, cifar100 } from './cifar-layout.ts'

/** Settings of the functions that download a data set. */
export interface DownloadDatasetOptions extends Pick<DownloadOptions, 'onProgress' | 'signal'> {
  /** A mirror with the same files. @default the official address */
  url?: string
}

/**
 * Downloads CIFAR-10 (170 MB) unless the folder has it already. A download that broke off is resumed; the archive's
 * md5 is checked.
 *
 * @param folder where `cifar-10-batches-bin` is made
 * @returns the path of `cifar-10-batches-bin`, for openCifar10
 * @throws when the server cannot be reached, or sends something else
 * @example
 * const folder = await downloadCifar10('data', { onProgress: ({ received, total }) => console.log(received, total) })
 */
export function downloadCifar10(folder: string, options: DownloadDatasetOptions = {}): Promise<string> {
  return downloadCifar(cifar10, folder, options)
}

/**
 * Downloads CIFAR-100 (169 MB), as downloadCifar10 does.
 *
 * @param folder where `cifar-100-binary` is made
 * @returns the path of `cifar-100-binary`, for openCifar100
 * @throws when the server cannot be reached, or sends something else
 */
export function downloadCifar100(folder: string, options: DownloadDatasetOptions = {}): Promise<string> {
  return downloadCifar(cifar100, folder, options)
}

/** @param layout another one is for tests */
export async function downloadCifar(
  layout: CifarLayout,
  folder: string,
  { url = layout.archive.url, ...options }: DownloadDatasetOptions,
): Promise<string> {
  const target = join(folder, layout.archive.folder)
  const check = async (): Promise<void> => {
    for (const split of ['train', 'test'] as const) await checkCifar(layout, target, split)
  }
  const isComplete = (): Promise<boolean> =>
    check().then(
      () => true,
      () => false,
    )
  if (await isComplete()) return target
  return withLock(`${target}.lock`, { signal: options.signal }, async () => {
    if (await isComplete()) return target // another process has made it meanwhile
    await getArchive(folder, { ...layout.archive, url }, options)
    await check()
    return target
  })
}
