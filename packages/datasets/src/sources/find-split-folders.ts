/** Which folders of a data set are its splits, whatever people call them, and which are its classes. */
import { pathIn } from '../files/file-names.ts'
import { listFolders, listStrays } from './list-images.ts'
import type { Split } from './split.ts'
import { splitNamed } from './split-names.ts'

export interface SplitFolders {
  /** Paths of the splits' folders; none where the folders are classes. */
  parts: Partial<Record<Split, string>>
  /** Names of the other folders. */
  others: string[]
}

/** @throws when the folder mixes splits and classes, or has two folders for one split */
export async function findSplitFolders(folder: string): Promise<SplitFolders> {
  const all = await listFolders(folder)
  const named = all.filter(name => splitNamed(name))
  const others = all.filter(name => !splitNamed(name))
  const holdFolders: string[] = []
  for (const name of named) if ((await listFolders(pathIn(folder, name))).length > 0) holdFolders.push(name)
  if (others.length > 0) {
    if (holdFolders.length === 0) return { parts: {}, others } // classes whose names are those of splits
    for (const name of others)
      if ((await listStrays(pathIn(folder, name))).images.length > 0)
        throw new Error(
          `${folder} has the folder ${holdFolders[0]}, which holds folders as a split of a data set does, beside ${name}, which holds images as a class does. Expected train, val and test with a folder for each class in them, or folders of classes alone: move ${name} elsewhere, or give ${holdFolders[0]} another name.`,
        )
  }
  const parts: SplitFolders['parts'] = {}
  for (const name of named) {
    const split = splitNamed(name) as Split
    const before = parts[split]
    if (before)
      throw new Error(
        `${folder} has the folders ${before.slice(folder.length + 1)} and ${name}, which both name its ${split} images; expected one of them: put the images together, or move one elsewhere.`,
      )
    parts[split] = pathIn(folder, name)
  }
  return { parts, others }
}
