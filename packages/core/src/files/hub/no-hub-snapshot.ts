/** Stands in for hub-snapshot.ts in browsers, which have no folders. */
import type { downloadSnapshot as inNode } from './hub-snapshot.ts'

export const downloadSnapshot: typeof inNode = async id => {
  throw new Error(`${id} cannot be downloaded into a folder: a browser has none.`)
}
