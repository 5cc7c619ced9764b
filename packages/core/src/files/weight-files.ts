/** The weights of a model folder: one safetensors file, shards with an index, or an archive of PyTorch or NumPy. Their headers are read first, so that everything is compared with them before it is made. */

import { listNames, shortText } from '../text.ts'
import { openNumpyWeights } from './archives/numpy-weights.ts'
import { openPytorchWeights, PYTORCH_WEIGHTS } from './archives/pytorch-weights.ts'
import { describeValue } from './fields.ts'
import { type Folder, withFile } from './folder.ts'
import { FileChecksum, hasChecksum } from './hub/checksum.ts'
import { readJsonIn } from './json-file.ts'
import type { SafeTensor } from './safetensors/safetensors.ts'
import {
  damagedError,
  readSafetensorsHeader,
  readTensors,
  type SafetensorsHeader,
} from './safetensors/safetensors-file.ts'
import { SafetensorsError } from './safetensors/safetensors-header.ts'

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
   * Reads the weights one after the other, through one buffer of the largest one's size: each is the visitor's until it
   * returns.
   *
   * @throws when a file is damaged, which may be known only at its end; the visitor's errors; the signal's reason
   */
  read: (visit: (name: string, tensor: SafeTensor) => void, options?: ReadWeightsOptions) => Promise<void>
  /**
   * Compares the files that have a checksum with it: what looks foreign may be damaged.
   *
   * @throws when a file is damaged
   */
  verify: () => Promise<void>
}

export interface ReadWeightsOptions {
  /** Whether a tensor is wanted. @default all are */
  wanted?: (name: string) => boolean
  signal?: AbortSignal | undefined
}

/**
 * Reads the headers of a folder's weights.
 *
 * @returns undefined where the folder has no such files
 * @throws when a header is malformed, a pickle asks for code to be run, when a shard lacks a tensor that the index promises, or has one it does not
 */
export async function openWeightFiles(folder: Folder): Promise<WeightFiles | undefined> {
  const single = await openFile(folder, WEIGHTS)
  if (single) return weightFiles(folder, [single])
  const shards = await openShards(folder)
  if (shards) return weightFiles(folder, shards)
  return (await openPytorchWeights(folder)) ?? (await openNumpyWeights(folder))
}

/** Names of the files that a folder's weights are in: the shards of an index where it has one. */
export async function weightFileNames(folder: Folder, has: (file: string) => boolean): Promise<string[] | undefined> {
  if (has(WEIGHTS)) return [WEIGHTS]
  const index = has(INDEX) ? await readJsonIn(folder, INDEX) : undefined
  if (!index && has(PYTORCH_WEIGHTS)) return [PYTORCH_WEIGHTS]
  return index && [...new Set(shardNames(index[0], folder.pathOf(INDEX)).values())]
}

/** The file names of the shards an index lists; an index from a stranger may not name a file elsewhere. */
function shardNames(index: unknown, source: string): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null) throw new Error(`${source} has no weight_map.`)
  for (const [name, shard] of Object.entries(map))
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new Error(
        `${source}: the shard of '${shortText(name)}' is ${describeValue(shard)}; expected a .safetensors file name.`,
      )
  return new Map(Object.entries(map as Record<string, string>))
}

interface OpenWeights {
  file: string
  header: SafetensorsHeader
}

const openFile = (folder: Folder, file: string): Promise<OpenWeights | undefined> =>
  withFile(folder, file, async content => {
    try {
      return { file, header: await readSafetensorsHeader(content, folder.pathOf(file)) }
    } catch (error) {
      if (error instanceof SafetensorsError) await requireUndamaged(folder, file)
      throw error
    }
  })

async function openShards(folder: Folder): Promise<OpenWeights[] | undefined> {
  const index = await readJsonIn(folder, INDEX)
  if (!index) return undefined
  const promised = shardNames(index[0], folder.pathOf(INDEX))
  const files: OpenWeights[] = []
  for (const shard of new Set(promised.values())) {
    const opened = await openFile(folder, shard)
    if (!opened) throw new Error(`${folder.lacks(shard)}, which ${INDEX} lists.`)
    const path = folder.pathOf(shard)
    const has = new Set(opened.header.entries.map(({ name }) => name))
    const lacks = [...promised].filter(([name, at]) => at === shard && !has.has(name)).map(([name]) => name)
    if (lacks.length > 0) throw new Error(`${path} lacks ${listNames(lacks)}, which ${INDEX} promises.`)
    const unlisted = [...has].filter(name => promised.get(name) !== shard)
    if (unlisted.length > 0) throw new Error(`${path} has ${listNames(unlisted)}, which ${INDEX} does not list there.`)
    files.push(opened)
  }
  return files
}

function weightFiles(folder: Folder, files: readonly OpenWeights[]): WeightFiles {
  return {
    shapes: new Map(files.flatMap(({ header }) => header.entries.map(({ name, shape }) => [name, shape] as const))),
    read: async (visit, { wanted = () => true, signal } = {}) => {
      for (const { file, header } of files)
        await withFile(folder, file, content =>
          readTensors(
            content,
            header,
            { path: folder.pathOf(file), wanted, compare: !folder.isVerified, signal },
            visit,
          ),
        )
    },
    verify: async () => {
      if (!folder.isVerified) for (const { file } of files) await requireUndamaged(folder, file)
    },
  }
}

/** A file that begins as those with a checksum do is compared with it, whatever its header is otherwise. */
const requireUndamaged = (folder: Folder, file: string): Promise<void> | Promise<undefined> =>
  withFile(folder, file, async content => {
    const checksum = new FileChecksum()
    const buffer = new Uint8Array(2 ** 20)
    for (let position = 0; position < content.size; ) {
      const count = await content.read(buffer, position)
      if (count === 0 || (position === 0 && !hasChecksum(buffer))) return
      checksum.update(buffer.subarray(0, count))
      position += count
    }
    if (!checksum.matches()) throw damagedError(folder.pathOf(file))
  })
