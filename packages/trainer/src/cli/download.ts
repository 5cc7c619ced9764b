/** Downloads with a progress line: data sets, and models from the hub. */
import { type DownloadProgress, resolveModel } from '@vitral/core/files'
import { downloadDataset } from '../data/open-dataset.ts'
import type { Progress } from './progress.ts'

export async function download(name: string, folder: string, progress: Progress, signal?: AbortSignal): Promise<void> {
  await downloadDataset(name, folder, { onProgress: showDownload(progress), signal })
  progress.end()
}

/** The folder of a model: a path as it is, a hub id downloaded. */
export async function fetchModel(folderOrHubId: string, progress: Progress): Promise<string> {
  const folder = await resolveModel(folderOrHubId, {
    onProgress: showDownload(progress),
    onWarning: line => progress.say(line),
  })
  progress.end()
  return folder
}

/** A line that says how much of a file has arrived. */
export function showDownload(
  progress: Progress,
): (event: Omit<DownloadProgress, 'total'> & { total?: number }) => void {
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6)
  return ({ file, received, total = received }) =>
    progress.update({ title: file, unit: 'MB', done: megabytes(received), total: megabytes(total) })
}
