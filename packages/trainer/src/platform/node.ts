/** What a run uses of Node and Bun that browsers have in another way; `#platform` is browser.ts there. */

export { availableParallelism, hostname } from 'node:os'
export { setImmediate as nextTurn } from 'node:timers/promises'
export { datasetSplits, openDataset } from '../data/open-dataset.ts'
export { importRecipe } from '../recipes/recipe-file.ts'
export { lockRun } from '../run/lock.ts'
export { machine } from '../run/machine.ts'
