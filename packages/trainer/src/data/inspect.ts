/** Everything that can be said of a data set before a model is trained on it. */
import type { Dataset } from '@vitral/datasets'
import { findDuplicates, type Inspection, inspectDataset, type Place } from '@vitral/datasets/inspect'
import type { Split } from '@vitral/datasets/sources'
import { describeNotes } from './data-summary.ts'
import { datasetSplits, type OpenDatasetOptions, openDataset } from './open-dataset.ts'

export interface SplitReport {
  name: Split
  count: number
  classes: Inspection['classes']
  sizes: Inspection['sizes']
  broken: { example: string; reason: string }[]
  /** Files that are no images by their names, and images and folders that are in no class. */
  ignored: readonly string[]
}

export interface DataReport {
  splits: SplitReport[]
  /** Groups of examples with the same pixels. */
  duplicates: { example: string; split: string; label: string }[][]
  /** What training says of the data before it begins: odd classes, and what is left out by reason, a line each. */
  notes: string[]
}

export interface InspectedData {
  report: DataReport
  /** The training images, or those of the only split. */
  dataset: Dataset
  inspection: Inspection
}

/** @param onProgress told of each split how many of its images are done */
export async function inspectData(
  name: string,
  path: string,
  onProgress: (split: Split, done: number, total: number) => void,
  options: OpenDatasetOptions = {},
): Promise<InspectedData> {
  const datasets = await openSplits(name, path, options)
  const inspections: Partial<Record<Split, Inspection>> = {}
  for (const [split, dataset] of datasets)
    inspections[split] = await inspectDataset(dataset, {
      onProgress: done => onProgress(split, done, dataset.length),
    })
  const inspected = inspections as Record<Split, Inspection>
  const nameOf = (split: Split, index: number): string =>
    datasets.get(split)?.nameOf?.(index) ?? `${split} image ${index}`
  const reports = [...datasets].map<SplitReport>(([split, dataset]) => {
    const { count, classes, sizes, broken } = inspected[split]
    return {
      name: split,
      count,
      classes,
      sizes,
      broken: broken.map(({ index, reason }) => ({ example: nameOf(split, index), reason })),
      ignored: 'ignored' in dataset ? (dataset.ignored as string[]) : [],
    }
  })
  const [first, dataset] = [...datasets][0] as [Split, Dataset]
  const describe = ({ split, index, label }: Place): DataReport['duplicates'][number][number] => ({
    example: nameOf(split as Split, index),
    split,
    label: dataset.classes[label] ?? 'no class',
  })
  const duplicates = findDuplicates(inspected).map(group => group.map(describe))
  const notes = describeNotes([...datasets].map(([name, dataset]) => ({ name, dataset })))
  return { report: { splits: reports, duplicates, notes }, dataset, inspection: inspected[first] }
}

async function openSplits(name: string, path: string, options: OpenDatasetOptions): Promise<Map<Split, Dataset>> {
  const opened = new Map<Split, Dataset>()
  for (const split of await datasetSplits(name, path)) opened.set(split, await openDataset(name, path, split, options))
  return opened
}
