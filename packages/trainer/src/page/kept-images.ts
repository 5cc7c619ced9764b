/** Images that a page was given, copied into this site's storage: there they stay when its tab is closed. */
import { disk } from '@vitral/core/files'
import { type BlobsByClass, type ImageFileDataset, imageBlobs } from '@vitral/datasets'

/** Names of the files of each class; a folder that has it is whole, since it is written last. */
const INDEX = 'images.json'

interface KeptClass {
  name: string
  files: string[]
}

/**
 * Copies image files into a folder of this site's storage, in the place of those that it kept before.
 *
 * @param files as `imageBlobs` takes them
 * @returns the data set of the copies, which a run can be resumed with in another tab
 * @throws as `imageBlobs`, and WriteError when there is no room
 * @example
 * const data = (await keptImages('images/pets')) ?? (await keepImages('images/pets', { cat: catFiles, dog: dogFiles }))
 */
export async function keepImages(folder: string, files: BlobsByClass): Promise<ImageFileDataset> {
  imageBlobs(files) // refuses what is no data set
  const classes = Object.entries(files).map(([name, blobs]) => ({ name, blobs: Array.from(blobs) }))
  const index = classes.map(({ name, blobs }) => ({ name, files: blobs.map(nameOf) }))
  await disk.remove(folder)
  await disk.createFolder(folder, async place => {
    for (const [i, { blobs }] of classes.entries())
      for (const [j, blob] of blobs.entries())
        await disk.write(disk.join(place, fileName(i, j)), [new Uint8Array(await blob.arrayBuffer())])
    await disk.write(disk.join(place, INDEX), [new TextEncoder().encode(JSON.stringify(index))])
  })
  return dataSet(folder, index)
}

/** The images that `keepImages` has kept in a folder; undefined where there are none, or not all of them. */
export async function keptImages(folder: string): Promise<ImageFileDataset | undefined> {
  const path = disk.join(folder, INDEX)
  return (await disk.exists(path)) ? dataSet(folder, JSON.parse(await disk.readText(path))) : undefined
}

async function dataSet(folder: string, classes: readonly KeptClass[]): Promise<ImageFileDataset> {
  let place = await navigator.storage.getDirectory()
  for (const name of disk.join(folder).split('/')) place = await place.getDirectoryHandle(name)
  /** Its bytes stay on the disk until they are read. */
  const open = async (name: string, i: number, j: number): Promise<File> =>
    new File([await (await place.getFileHandle(fileName(i, j))).getFile()], name)
  const entries = classes.map(async ({ name, files }, i) => [
    name,
    await Promise.all(files.map((file, j) => open(file, i, j))),
  ])
  return imageBlobs(Object.fromEntries(await Promise.all(entries)))
}

const nameOf = (blob: Blob): string => (blob instanceof File ? blob.name : '')

/** Names of classes and files need not be names that the storage takes. */
const fileName = (classNumber: number, number: number): string => `${classNumber}-${number}`
