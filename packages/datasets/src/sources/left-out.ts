/** Why files that lie in a data set are no part of it, and how many of them for each reason. */

export interface LeftOutFile {
  /** Path of the file. */
  path: string
  /** Why it is left out. */
  reason: string
}

/** Files that are left out for the same reason. */
export interface LeftOutCount {
  /** The end of a sentence that begins with the files. */
  reason: string
  /** Number of files. */
  count: number
  /** Path of the first. */
  first: string
}

export const ignoredBecause = {
  hidden: 'hidden, or left there by a system',
  extension: (extension: string): string =>
    extension === ''
      ? 'no images by their names, which have no extension'
      : `no images that are read, by their extension ${extension}`,
  noClass: 'images in no folder of a class',
  noSplit: 'folders beside those of the splits',
  seen: 'links to a folder that is read already, or that this one lies in',
} as const

/** Counts each path once, the most frequent reason first. */
export function countLeftOut(ignored: readonly LeftOutFile[]): LeftOutCount[] {
  const counts = new Map<string, LeftOutCount>()
  for (const { path, reason } of new Map(ignored.map(file => [file.path, file])).values()) {
    const known = counts.get(reason)
    if (known) known.count++
    else counts.set(reason, { reason, count: 1, first: path })
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)
}
