/** A Hugging Face model folder: `config.json`, and weights in one safetensors file or in shards with an index. */
import { disk } from '#platform'
import type { ViTConfigOptions } from '../vit/config.ts'
import { completeFromWeights } from '../vit/families/timm.ts'
import { configFromJson, type ReadConfig } from '../vit/pretrained/config-json.ts'
import { numClasses } from '../vit/pretrained/weight-counts.ts'
import { writeFileAtomic } from './atomic-write.ts'
import type { Folder } from './folder.ts'
import { readJsonIn } from './json-file.ts'
import { type DtypeArray, fromFloat32, type WeightDtype, weightDtypes } from './safetensors/dtypes.ts'
import type { SafeTensor } from './safetensors/safetensors.ts'
import { writeSafetensors } from './safetensors/safetensors-file.ts'
import { INDEX, openWeightFiles, WEIGHTS, type WeightFiles, type Weights } from './weight-files.ts'

export interface ModelFolder {
  config: ViTConfigOptions
  /** Names of fields of config.json that nobody knows. */
  unknown: string[]
  /** Their headers have been read. */
  weights: WeightFiles
}

/**
 * Reads a folder's configuration, and then the headers of its weights: what describes no ViT needs no weights.
 *
 * @throws when a file is missing or malformed, when a shard lacks a tensor that the index promises, or has one it does not
 */
export async function openModelFolder(folder: Folder): Promise<ModelFolder> {
  let weights: WeightFiles | undefined
  const { options: config, unknown } = await readConfigFile(folder, async () => {
    weights = await openWeightFiles(folder)
    if (!weights) throw new Error(await whatThereIs(folder))
    return weights
  })
  return { config, unknown, weights: weights as WeightFiles }
}

/** A configuration is as long as its names of classes; those are no more than the classifier of its weights has rows. */
export async function readConfigFile(
  folder: Folder,
  openWeights: (config: ReadConfig) => Promise<WeightFiles | undefined>,
): Promise<ReadConfig> {
  const path = folder.pathOf('config.json')
  const file = await readJsonIn(folder, 'config.json')
  if (!file) {
    const adapters = (await folder.list()).includes('adapter_config.json')
    throw new Error(
      `${folder.lacks('config.json')}; expected a Hugging Face model folder${adapters ? ', and it holds adapters alone: merge them into their base model with vitral export --adapters' : ''}.`,
    )
  }
  const [json, bytes] = file
  const config = configFromJson(json, path)
  const weights = await openWeights(config)
  if (weights) config.options = completeFromWeights(config.options, weights.shapes, folder.name)
  const classes = weights && numClasses(weights.shapes)
  const mostBytes = classes === undefined ? Infinity : 4 * 2 ** 20 + 1024 * classes
  if (bytes > mostBytes) throw new Error(`${path} has ${bytes} bytes; expected at most ${mostBytes}.`)
  return config
}

/** Why a folder has no weights that are read. */
async function whatThereIs(folder: Folder): Promise<string> {
  const other = (await folder.list()).find(name => /\.(bin|pth?|ckpt|h5|msgpack|npz|onnx)$/.test(name))
  return other === undefined
    ? `${folder.lacks(WEIGHTS, INDEX)}; expected the weights in one of them.`
    : `${folder.lacks(WEIGHTS, INDEX)}, but ${other}; convert it in Python: from_pretrained(folder).save_pretrained(folder).`
}

export interface WriteModelOptions {
  /** Weights beyond it go into several files with an index, of this size at most where a tensor is no larger. @default 5e9 */
  maxShardBytes?: number
  /** Format of the weights in the files; float16 and bfloat16 take half the size, and they are float32 again when they are read. @default 'float32' */
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
  if (!weightDtypes.includes(dtype))
    throw new Error(`The weights' dtype is '${dtype}'; expected one of ${weightDtypes.join(', ')}.`)
  const shards = intoShards(weights, maxShardBytes, dtype)
  await disk.makeFolder(folder)
  for (const [file, tensors] of shards) await writeSafetensors(disk.join(folder, file), tensors, { format: 'pt' })
  if (shards.size > 1) await writeFileAtomic(disk.join(folder, INDEX), toJson(indexOf(shards)))
  for (const file of await disk.list(folder)) if (isStale(file, shards)) await disk.remove(disk.join(folder, file))
  const complete = config.architecture === undefined ? { ...config, torch_dtype: dtype } : config // timm's has no such field
  await writeFileAtomic(disk.join(folder, 'config.json'), toJson(complete))
  await disk.flush(disk.dirname(folder))
}

type Shards = Map<string, Map<string, SafeTensor>>

/** Divides the weights into shards, named as transformers names them. */
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
