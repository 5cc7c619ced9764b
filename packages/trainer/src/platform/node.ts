/** What a run uses of Node and Bun that browsers have in another way; `#platform` is browser.ts there. */

export { availableParallelism, hostname } from 'node:os'
export { setImmediate as nextTurn } from 'node:timers/promises'
export { datasetNames, datasetSplits, openDataset } from '../data/open-dataset.ts'
/** For decoded images, of training and of evaluation: about a thousand photos of 500×375 each are decoded once. */
export const cacheBytes: number = 2 ** 29
export { importRecipe } from '../recipes/recipe-file.ts'
export { lockRun } from '../run/lock.ts'
export { machine } from '../run/machine.ts'
