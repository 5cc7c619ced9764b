/** Adapters on disk as PEFT keeps them: `adapter_config.json`, and `adapter_model.safetensors` with A, B and the head. */
import { disk } from '#platform'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import type { Folder } from '../../files/folder.ts'
import { adapterFiles } from '../../files/hub/hub.ts'
import { readJsonIn } from '../../files/json-file.ts'
import { toFloat32 } from '../../files/safetensors/dtypes.ts'
import type { SafeTensor } from '../../files/safetensors/safetensors.ts'
import { readSafetensorsIn, writeSafetensors } from '../../files/safetensors/safetensors-file.ts'
import type { Weights } from '../../files/weight-files.ts'
import { requireFiniteWeights } from '../../finite.ts'
import type { ViTConfig } from '../config.ts'
import type { FamilyNames } from '../families/family.ts'
import { bareNames } from '../families/file-tensors.ts'
import { familyOf } from '../families/index.ts'
import type { Parameters } from '../parameters/parameters.ts'
import { isHead } from '../parameters/trainable.ts'
import { fitProblems } from '../pretrained/fit-problems.ts'
import { adapterConfigFromJson } from './adapter-config.ts'
import { adapterNames, type LoraConfig, type LoraTarget, targetOf } from './lora.ts'

/** Options of saveAdapters. */
export interface WriteAdaptersOptions {
  /** The folder or hub id of the model that the adapters are for; PEFT's `base_model_name_or_path`. @default none */
  baseModel?: string
}

export interface AdapterFolder {
  alpha: number
  /** A and B by the name of the weight they adapt. */
  pairs: Map<string, readonly [loraA: Weights, loraB: Weights]>
  /** Weights of the head, if the folder has one. */
  head: Map<string, Weights>
}

const [CONFIG, WEIGHTS] = adapterFiles
/** PEFT's wrappers around the model. */
const PREFIX = 'base_model.model.'

/**
 * How files name what adapters are beside.
 *
 * @param method what errors call the caller
 * @throws where a layer's names in files are not those that adapters are given here
 */
export function adapterFileNames(config: ViTConfig, method: string): FamilyNames {
  const { names } = familyOf(config)
  if (names.inLayer(config).length > 0)
    throw new Error(
      `${method}: Vitral has no names of adapters for models of type '${config.modelType}'; merge them with mergeAdapters, and save the model.`,
    )
  return names
}

/** Writes the two files; the weights are named as in the model, and have a checksum that reading compares. */
export async function writeAdapterFolder(
  folder: string,
  { rank, alpha, targets }: LoraConfig,
  weights: ReadonlyMap<string, Weights>,
  { baseModel }: WriteAdaptersOptions,
): Promise<void> {
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]): [string, SafeTensor] => [PREFIX + name, { dtype: 'F32', shape, data }]),
  )
  const head = new Set([...weights.keys()].filter(isHead).map(name => name.split('.')[0]))
  const config = {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: baseModel ?? null,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targetModules(targets),
    modules_to_save: head.size > 0 ? [...head] : null,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
  }
  await disk.makeFolder(folder)
  await writeSafetensors(disk.join(folder, WEIGHTS), tensors, { format: 'pt' })
  await writeFileAtomic(disk.join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
}

/**
 * Reads the two files.
 *
 * @param prefix of the backbone's names in the model
 * @param names of the model's type
 * @param parameters of the model that the adapters are for
 * @throws naming the field that asks for what Vitral does not have, every tensor that does not fit the model, or the first
 * that holds NaN or Infinity
 */
export async function readAdapterFolder(
  folder: Folder,
  { prefix, names }: { prefix: string; names: FamilyNames },
  parameters: Parameters,
): Promise<AdapterFolder> {
  const config = await readJsonIn(folder, CONFIG)
  if (!config) throw await noConfig(folder)
  const { rank, alpha } = adapterConfigFromJson(config[0], folder.pathOf(CONFIG))
  const tensors = await readSafetensorsIn(folder, WEIGHTS)
  if (!tensors) throw await noWeights(folder)
  const named = new Map([...tensors].map(([name, tensor]) => [name.replace(PREFIX, ''), tensor]))
  const bare = bareNames(named, names, folder.pathOf(WEIGHTS))
  const isBackbone = (name: string): boolean => /^(embeddings|encoder|layernorm|pooler)\./.test(name)
  const rest = new Map([...bare].map(([name, tensor]) => [isBackbone(name) ? prefix + name : name, tensor]))

  const problems: string[] = []
  const take = (name: string, shape: readonly number[]): Weights => {
    const found = rest.get(name)
    rest.delete(name)
    if (found?.shape.join() !== shape.join())
      problems.push(`${name} has shape [${found?.shape ?? 'missing'}]; the model needs [${shape}]`)
    const data = found ? toFloat32(found) : new Float32Array()
    requireFiniteWeights([[name, data]], folder.name)
    return { shape: found?.shape ?? [], data }
  }
  const result: AdapterFolder = { alpha, pairs: new Map(), head: new Map() }
  for (const [name, { shape }] of parameters) {
    const [loraA, loraB] = adapterNames(name)
    if (isHead(name) && rest.has(name)) result.head.set(name, take(name, shape))
    if (targetOf(name) === undefined || !(rest.has(loraA) || rest.has(loraB))) continue
    const [out, input] = shape as [number, number]
    result.pairs.set(name, [take(loraA, [rank, input]), take(loraB, [out, rank])])
  }
  const lines = fitProblems({ others: problems, missing: [], unknown: [...rest.keys()] })
  if (result.pairs.size === 0) lines.push('there is no adapter among them')
  if (lines.length > 0) throw new Error(`The adapters in ${folder.name} do not fit the model:\n  ${lines.join('\n  ')}`)
  return result
}

async function noConfig(folder: Folder): Promise<Error> {
  const isModel = (await folder.list()).includes('config.json')
  return new Error(
    `${folder.lacks(CONFIG)}; expected adapters that PEFT or saveAdapters wrote${isModel ? ', and it holds a whole model' : ''}.`,
  )
}

async function noWeights(folder: Folder): Promise<Error> {
  const old = (await folder.list()).includes('adapter_model.bin')
  return new Error(
    old
      ? `${folder.lacks(WEIGHTS)}, but adapter_model.bin; save it again in Python: PeftModel.from_pretrained(base, folder).save_pretrained(folder).`
      : `${folder.lacks(WEIGHTS)}; expected the weights of the adapters in it.`,
  )
}

/** In a list of PEFT's a name means every module that ends with it; the MLP's `output.dense` alone takes a pattern. */
function targetModules(targets: readonly LoraTarget[]): string | readonly string[] {
  if (!targets.includes('output.dense') || targets.includes('attention.output.dense')) return targets
  const inLayer = targets.map(target =>
    (target === 'output.dense' ? target : `.*${target}`).replaceAll(/(?<=\w)\./g, '\\.'),
  )
  return `.*\\.layer\\.\\d+\\.(${inLayer.join('|')})`
}
