/** What node.ts has, of a page's worker. */
import type * as node from './node.ts'

export { lockRun } from '../run/web-lock.ts'

/** The end of the queue of tasks, where messages of the page wait; a timer would be held back to 4 ms. */
export const nextTurn = (): Promise<void> =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })

export const availableParallelism: typeof node.availableParallelism = () => navigator.hardwareConcurrency

export const hostname: typeof node.hostname = () => location.hostname

/** For decoded images; a tab has less memory than a machine. */
export const cacheBytes: typeof node.cacheBytes = 2 ** 27

export const machine: typeof node.machine = () => {
  const { userAgent, platform } = navigator
  return { runtime: userAgent, platform, cpu: 'unknown' }
}

const noFolders = (name: string): Error =>
  new Error(
    `The data set '${name}' is opened from a folder by its name, and a page has none; expected data sets of your own as data, such as imageBlobs({ cat: files, dog: files }) of @vitral/datasets.`,
  )

export const datasetNames: typeof node.datasetNames = []

export const openDataset: typeof node.openDataset = async name => {
  throw noFolders(name)
}

export const datasetSplits: typeof node.datasetSplits = async name => {
  throw noFolders(name)
}

export const importRecipe: typeof node.importRecipe = async path => {
  throw new Error(`A page cannot import the recipe ${path}; import it in your own code and give it as it is.`)
}
