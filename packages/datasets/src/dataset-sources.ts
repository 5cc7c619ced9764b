/** Opens data sets again in a worker, from what their `source` says. */
import type { BrokenImageOptions } from './decode-or-skip.ts'
import { type ImageFile, imageFiles } from './image-files.ts'
import { type MemoryImages, openMemory } from './memory-dataset.ts'
import { type PackedImages, packedDataset } from './packed-dataset.ts'
import { type ClassSelection, selectedClasses } from './select-classes.ts'
import { subset } from './subset.ts'
import type { Dataset, DatasetSource } from './types.ts'

const openers: Readonly<Record<string, (params: never) => Dataset>> = {
  packed: (images: PackedImages) => packedDataset(images),
  imageFiles: (params: { files: ImageFile[]; classes: string[]; options: BrokenImageOptions }) =>
    imageFiles(params.files, params.classes, params.options),
  memory: (images: MemoryImages) => openMemory(images),
  selectedClasses: ({ source, selection }: { source: DatasetSource; selection: ClassSelection }) =>
    selectedClasses(openSource(source), selection),
  subset: ({ source, indices }: { source: DatasetSource; indices: number[] }) => subset(openSource(source), indices),
}

/** @throws when no opener has the source's name. */
export function openSource({ name, params }: DatasetSource): Dataset {
  const opener = Object.hasOwn(openers, name) ? openers[name] : undefined
  if (!opener) throw new Error(`There is no data set source '${name}'; expected ${Object.keys(openers).join(', ')}.`)
  return opener(params as never)
}
