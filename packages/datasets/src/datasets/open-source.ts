/** Opens data sets again in a worker, from what their `source` says. */
import type { BrokenImageOptions } from '../images/decode-or-skip.ts'
import type { Dataset, DatasetSource } from '../types.ts'
import { callExport } from '../user-module.ts'
import { imageFiles, type LabelledImage } from './image-files.ts'
import { type MemoryImages, openMemory } from './memory-dataset.ts'
import { type PackedImages, packedDataset } from './packed-dataset.ts'
import { type ClassSelection, selectedClasses } from './select-classes.ts'
import { subset } from './subset.ts'

const openers: Readonly<Record<string, (params: never) => Dataset | Promise<Dataset>>> = {
  packed: (images: PackedImages) => packedDataset(images),
  imageFiles: (params: { files: LabelledImage[]; classes: string[]; options: BrokenImageOptions }) =>
    imageFiles(params.files, params.classes, params.options),
  memory: (images: MemoryImages) => openMemory(images),
  selectedClasses: async ({ source, selection }: { source: DatasetSource; selection: ClassSelection }) =>
    selectedClasses(await openSource(source), selection),
  subset: async ({ source, indices }: { source: DatasetSource; indices: number[] }) =>
    subset(await openSource(source), indices),
}

/**
 * Opens a data set again from its `source`, such as in a worker that was sent it.
 *
 * @throws when no opener has the source's name, or the user's module does not make a data set
 */
export async function openSource(source: DatasetSource): Promise<Dataset> {
  if ('module' in source) {
    const dataset = (await callExport(source, [source.params], 'a data set')) as Partial<Dataset> | undefined
    if (typeof dataset?.get !== 'function' || !Array.isArray(dataset.classes))
      throw new Error(`${source.module} made no data set; expected { length, classes, get(index) }.`)
    return dataset as Dataset
  }
  const { name, params } = source
  const opener = Object.hasOwn(openers, name) ? openers[name] : undefined
  if (!opener) throw new Error(`There is no data set source '${name}'; expected ${Object.keys(openers).join(', ')}.`)
  return opener(params as never)
}
