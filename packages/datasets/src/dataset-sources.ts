/** Opens data sets again in a worker, from what their `source` says. */
import { type ImageFile, imageFiles } from './image-files.ts'
import { type PackedImages, packedDataset } from './packed-dataset.ts'
import type { Dataset, DatasetSource } from './types.ts'

const openers: Readonly<Record<string, (params: never) => Dataset>> = {
  packed: (images: PackedImages) => packedDataset(images),
  imageFiles: ({ files, classes }: { files: ImageFile[]; classes: string[] }) => imageFiles(files, classes),
}

/** @throws when no opener has the source's name. */
export function openSource({ name, params }: DatasetSource): Dataset {
  const opener = Object.hasOwn(openers, name) ? openers[name] : undefined
  if (!opener) throw new Error(`There is no data set source '${name}'; expected ${Object.keys(openers).join(', ')}.`)
  return opener(params as never)
}
