/** Data sets by their names, where the machine has folders; a page has none, and says so. */
import * as here from '#platform'
import type * as folders from './open-dataset.ts'

/** Names of the data sets that recipes and the command line know. */
export const datasetNames: readonly string[] = here.datasetNames

/** As open-dataset.ts has it. */
export const openDataset: typeof folders.openDataset = here.openDataset

/** As open-dataset.ts has it. */
export const datasetSplits: typeof folders.datasetSplits = here.datasetSplits
