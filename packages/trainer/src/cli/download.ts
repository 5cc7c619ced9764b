/** Downloads a data set with a progress line. */
import { downloadDataset } from '../data.ts'
import type { Progress } from '../progress.ts'

export async function download(name: string, folder: string, progress: Progress, signal?: AbortSignal): Promise<void> {
  const megabytes = (bytes: number) => Math.round(bytes / 1e6)
  await downloadDataset(name, folder, {
    onProgress: ({ file, received, total = received }) =>
      progress.update({ title: file, unit: 'MB', done: megabytes(received), total: megabytes(total) }),
    signal,
  })
  progress.end()
}
