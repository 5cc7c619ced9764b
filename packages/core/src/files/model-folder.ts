/** A Hugging Face model folder: `config.json`, and weights in one safetensors file or in shards with an index. */
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from '../vit/config.ts'
import { configFromJson } from '../vit/config-json.ts'
import { type DtypeArray, fromFloat32, toFloat32, type WeightDtype, weightDtypes } from './dtypes.ts'
import type { SafeTensor } from './safetensors.ts'
import { readSafetensors, writeSafetensors } from './safetensors-file.ts'
import { flushFolder, writeFileAside } from './write-aside.ts'

export interface Weights {
  shape: number[]
  data: Float32Array
}

export interface ModelFolder {
  config: ViTConfigOptions
  /** By the names in the file. */
  weights: Map<string, Weights>
}

const WEIGHTS = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

/**
 * Reads a folder's `config.json` alone: what a model is, before its weights are there.
 *
 * @returns with the defaults of what it leaves out
 * @throws when it is missing, malformed, or describes no ViT
 */
export async function readModelConfig(folder: string): Promise<ViTConfig> {
  return resolveConfig(await readConfigFile(folder), `${folder}/config.json`)
}

/**
 * Reads a folder's configuration and weights, the weights as float32.
 *
 * @throws when a file is missing, malformed or damaged, when a shard lacks a tensor that the index promises, or has one it does not
 */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const { existsSync } = await import('node:fs')
  const { join } = await import('node:path')
  const config = await readConfigFile(folder)
  const weights = new Map<string, Weights>()
  const add = (tensors: ReadonlyMap<string, SafeTensor>) => {
    for (const [name, tensor] of tensors) weights.set(name, { shape: tensor.shape, data: toFloat32(tensor) })
  }
  if (existsSync(join(folder, WEIGHTS))) add((await readSafetensors(join(folder, WEIGHTS))).tensors)
  else if (existsSync(join(folder, INDEX))) await readShards(folder, add)
  else
    throw new Error(
      `${folder} has neither ${WEIGHTS} nor ${INDEX}; weights in other formats must be converted to safetensors first.`,
    )
  return { config, weights }
}

async function readConfigFile(folder: string): Promise<ViTConfigOptions> {
  const { existsSync } = await import('node:fs')
  const { join } = await import('node:path')
  const path = join(folder, 'config.json')
  if (!existsSync(path)) throw new Error(`${folder} has no config.json; expected a Hugging Face model folder.`)
  return configFromJson(await readJson(path), path)
}

export interface WriteModelOptions {
  /** Weights beyond it go into several files with an index, of this size at most where a tensor is no larger. @default 5e9 */
  maxShardBytes?: number
  /** Of the weights in the files; a half is half the size, and they are float32 again when they are read. @default 'float32' */
  dtype?: WeightDtype
}

/**
 * Writes `config.json` and the weights, creating the folder: `model.safetensors`, or shards and their index.
 * Each file of weights has a checksum, which reading compares. The configuration comes last: a folder that has one is
 * complete. Weights of a model that was there before are removed.
 *
 * @throws before it writes, naming a weight that is too large for float16
 */
export async function writeModelFolder(
  folder: string,
  config: Record<string, unknown>,
  weights: ReadonlyMap<string, Weights>,
  { maxShardBytes = 5e9, dtype = 'float32' }: WriteModelOptions = {},
): Promise<void> {
  const { mkdir, readdir, rm } = await import('node:fs/promises')
  const { dirname, join, resolve } = await import('node:path')
  if (!weightDtypes.includes(dtype))
    throw new Error(`The weights' dtype is '${dtype}'; expected one of ${weightDtypes.join(', ')}.`)
  const shards = intoShards(weights, maxShardBytes, dtype)
  await mkdir(folder, { recursive: true })
  for (const [file, tensors] of shards) await writeSafetensors(join(folder, file), tensors, { format: 'pt' })
  if (shards.size > 1) await writeFileAside(join(folder, INDEX), toJson(indexOf(shards)))
  for (const file of await readdir(folder)) if (isStale(file, shards)) await rm(join(folder, file))
  await writeFileAside(join(folder, 'config.json'), toJson({ ...config, torch_dtype: dtype }))
  await flushFolder(dirname(resolve(folder)))
}

type Shards = Map<string, Map<string, SafeTensor>>

/** By file name, as transformers names them. */
function intoShards(weights: ReadonlyMap<string, Weights>, maxShardBytes: number, dtype: WeightDtype): Shards {
  const groups: Map<string, SafeTensor>[] = []
  let room = 0
  for (const [name, { shape, data: values }] of weights) {
    const { dtype: type, data } = fromFloat32(values, dtype)
    if (dtype === 'float16') checkRange(name, values, data)
    if (groups.length === 0 || data.byteLength > room) {
      groups.push(new Map())
      room = maxShardBytes
    }
    groups.at(-1)?.set(name, { dtype: type, shape, data })
    room -= data.byteLength
  }
  if (groups.length <= 1) return new Map([[WEIGHTS, groups[0] ?? new Map()]])
  const digits = (number: number): string => String(number).padStart(5, '0')
  return new Map(
    groups.map((tensors, i) => [`model-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`, tensors]),
  )
}

/** What is finite must stay so. */
function checkRange(name: string, values: Float32Array, halves: DtypeArray): void {
  const lost = values.findIndex((value, i) => Number.isFinite(value) && ((halves[i] as number) & 0x7fff) === 0x7c00)
  if (lost >= 0)
    throw new Error(
      `'${name}' has a weight of ${values[lost]}, more than float16 holds (65504); write bfloat16 or float32.`,
    )
}

function indexOf(shards: Shards): Record<string, unknown> {
  const tensors = [...shards].flatMap(([file, group]) => [...group].map(([name, tensor]) => ({ file, name, tensor })))
  return {
    metadata: { total_size: tensors.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0) },
    weight_map: Object.fromEntries(tensors.map(({ name, file }) => [name, file])),
  }
}

/** Readers would take a single file of an older model for this one's. */
const isStale = (file: string, shards: Shards): boolean =>
  file === INDEX
    ? shards.size === 1
    : (file === WEIGHTS || /^model-\d{5}-of-\d{5}\.safetensors$/.test(file)) && !shards.has(file)

const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Reads a JSON file; the error of a malformed one names it. */
export async function readJson(path: string): Promise<unknown> {
  const { readFile } = await import('node:fs/promises')
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${path} is not JSON: ${error.message}`)
    throw error
  }
}

/** The file names of the shards an index lists; an index from a stranger may not name a file elsewhere. */
export function shardNames(index: unknown, source: string): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null) throw new Error(`${source} has no weight_map.`)
  for (const [name, shard] of Object.entries(map))
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new Error(
        `${source}: the shard of '${name}' is ${JSON.stringify(shard)}; expected a .safetensors file name.`,
      )
  return new Map(Object.entries(map as Record<string, string>))
}

async function readShards(folder: string, add: (tensors: ReadonlyMap<string, SafeTensor>) => void): Promise<void> {
  const { existsSync } = await import('node:fs')
  const { join } = await import('node:path')
  const promised = shardNames(await readJson(join(folder, INDEX)), join(folder, INDEX))
  for (const shard of new Set(promised.values())) {
    const path = join(folder, shard)
    if (!existsSync(path)) throw new Error(`${folder} has no ${shard}, which ${INDEX} lists.`)
    const { tensors } = await readSafetensors(path)
    for (const [name, file] of promised)
      if (file === shard && !tensors.has(name)) throw new Error(`${path} lacks '${name}', which ${INDEX} promises.`)
    for (const name of tensors.keys())
      if (promised.get(name) !== shard) throw new Error(`${path} has '${name}', which ${INDEX} does not list there.`)
    add(tensors)
  }
}
