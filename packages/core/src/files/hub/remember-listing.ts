/** Keeps which files of a model belong together, for the next time that its server cannot be asked. */
import { keyOf } from './hub-origin.ts'
import type { Listing, ModelStore } from './model-store.ts'

/** What was read of a model; a hub says its commit, and of other servers the version is made of the files' keys. */
export type ReadFiles = Partial<Pick<Listing, 'version'>> & Pick<Listing, 'files'>

/**
 * Adds what was read to what is known of the same version, or takes its place.
 *
 * A processor that was read alone does not take the place of a whole model: what works without the network has to go on.
 */
export async function rememberListing(store: ModelStore, revision: string, read: ReadFiles): Promise<void> {
  if (isIncluded(read, await store.listing(revision))) return
  await store.whileLocked('listing', undefined, async () => {
    const known = await store.listing(revision)
    const same = known !== undefined && (await isSameModel(store, known, read))
    if (known && !same && hasWeights(known) && !hasWeights(read)) return
    const files = same ? new Map([...known.files, ...read.files]) : read.files
    await store.remember(revision, { version: read.version ?? versionOf(files), files })
  })
}

function isIncluded({ version, files }: ReadFiles, known: Listing | undefined): boolean {
  if (!known || (version !== undefined && version !== known.version)) return false
  return [...files].every(([file, key]) => known.files.get(file) === key)
}

const hasWeights = ({ files }: ReadFiles): boolean => [...files.keys()].some(file => file.endsWith('.safetensors'))

const versionOf = (files: ReadonlyMap<string, string>): string =>
  keyOf(...[...files].map(entry => entry.join(' ')).sort()).slice(0, 40)

/** The configuration tells models apart; of a server that gives no versions its text does, and not its key. */
async function isSameModel(store: ModelStore, known: Listing, read: ReadFiles): Promise<boolean> {
  if (read.version !== undefined) return read.version === known.version
  const keys = [known, read].map(({ files }) => files.get('config.json'))
  if (keys[0] === keys[1]) return true
  const [before, now] = await Promise.all(keys.map(key => textOf(store, key)))
  return before !== undefined && before === now
}

async function textOf(store: ModelStore, key: string | undefined): Promise<string | undefined> {
  const file = key === undefined ? undefined : await store.open(key)
  if (!file) return undefined
  const bytes = new Uint8Array(file.size)
  let at = 0
  for (let count = -1; at < bytes.length && count !== 0; at += count) count = await file.read(bytes.subarray(at), at)
  await file.close()
  return new TextDecoder().decode(bytes.subarray(0, at))
}
