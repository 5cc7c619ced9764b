/** The weights of a model folder: one safetensors file, or shards with an index. Their headers are read first, so that everything is compared with them before it is made. */

import { disk } from '#platform'
import { listNames, shortText } from '../text.ts'
import { describeValue } from './fields.ts'
import { hasChecksum } from './hub/checksum.ts'
import { readJson } from './json-file.ts'
import { toFloat32 } from './safetensors/dtypes.ts'
import { readSafetensors, readSafetensorsHeader } from './safetensors/safetensors-file.ts'
import { type Entry, SafetensorsError } from './safetensors/safetensors-header.ts'

export interface Weights {
  shape: number[]
  data: Float32Array
}

export const WEIGHTS = 'model.safetensors'
export const INDEX = 'model.safetensors.index.json'

export interface WeightFiles {
  /** Tensors by their names in the files. */
  shapes: Map<string, readonly number[]>
  /**
   * Reads the weights, as float32.
   *
   * @throws when a file is damaged
   */
  read: () => Promise<Map<string, Weights>>
  /**
   * Compares the files that have a checksum with it: what looks foreign may be damaged.
   *
   * @throws when a file is damaged
   */
  verify: () => Promise<void>
}

/**
 * Reads the headers of a folder's weights.
 *
 * @returns undefined where the folder has no such files
 * @throws when a header is malformed, when a shard lacks a tensor that the index promises, or has one it does not
 */
export async function openWeightFiles(folder: string): Promise<WeightFiles | undefined> {
  const path = disk.join(folder, WEIGHTS)
  if (await disk.exists(path)) return ofFiles([await openFile(path)])
  return (await disk.exists(disk.join(folder, INDEX))) ? ofFiles(await openShards(folder)) : undefined
}

/** Whether no file of a folder's weights is missing, as it is while they are downloaded. */
export async function hasAllWeights(folder: string): Promise<boolean> {
  const has = (file: string): Promise<boolean> => disk.exists(disk.join(folder, file))
  if (await has(WEIGHTS)) return true
  if (!(await has(INDEX))) return false
  const index = disk.join(folder, INDEX)
  const shards = new Set(shardNames(await readJson(index), index).values())
  return (await Promise.all([...shards].map(has))).every(Boolean)
}

/** The file names of the shards an index lists; an index from a stranger may not name a file elsewhere. */
export function shardNames(index: unknown, source: string): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null) throw new Error(`${source} has no weight_map.`)
  for (const [name, shard] of Object.entries(map))
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new Error(
        `${source}: the shard of '${shortText(name)}' is ${describeValue(shard)}; expected a .safetensors file name.`,
      )
  return new Map(Object.entries(map as Record<string, string>))
}

interface OpenFile {
  path: string
  entries: readonly Entry[]
  hasChecksum: boolean
}

async function openFile(path: string): Promise<OpenFile> {
  try {
    return { path, ...(await readSafetensorsHeader(path)) }
  } catch (error) {
    if (error instanceof SafetensorsError && (await isOurs(path))) await readSafetensors(path) // says if it is damaged
    throw error
  }
}

/** Whether a file begins as those with a checksum do, whatever its header is otherwise. */
async function isOurs(path: string): Promise<boolean> {
  const file = await disk.open(path)
  try {
    const start = new Uint8Array(256)
    await file.read(start, 0)
    return hasChecksum(start)
  } finally {
    await file.close()
  }
}

async function openShards(folder: string): Promise<OpenFile[]> {
  const index = disk.join(folder, INDEX)
  const promised = shardNames(await readJson(index), index)
  const files: OpenFile[] = []
  for (const shard of new Set(promised.values())) {
    const path = disk.join(folder, shard)
    if (!(await disk.exists(path))) throw new Error(`${folder} has no ${shard}, which ${INDEX} lists.`)
    const file = await openFile(path)
    const has = new Set(file.entries.map(({ name }) => name))
    const lacks = [...promised].filter(([name, at]) => at === shard && !has.has(name)).map(([name]) => name)
    if (lacks.length > 0) throw new Error(`${path} lacks ${listNames(lacks)}, which ${INDEX} promises.`)
    const unlisted = [...has].filter(name => promised.get(name) !== shard)
    if (unlisted.length > 0) throw new Error(`${path} has ${listNames(unlisted)}, which ${INDEX} does not list there.`)
    files.push(file)
  }
  return files
}

function ofFiles(files: readonly OpenFile[]): WeightFiles {
  return {
    shapes: new Map(files.flatMap(({ entries }) => entries.map(({ name, shape }) => [name, shape] as const))),
    read: async () => {
      const weights = new Map<string, Weights>()
      for (const { path } of files)
        for (const [name, tensor] of (await readSafetensors(path)).tensors)
          weights.set(name, { shape: tensor.shape, data: toFloat32(tensor) })
      return weights
    },
    verify: async () => {
      for (const { path, hasChecksum } of files) if (hasChecksum) await readSafetensors(path)
    },
  }
}
