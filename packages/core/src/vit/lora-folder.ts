/** Adapters on disk as PEFT keeps them: `adapter_config.json`, and `adapter_model.safetensors` with A, B and the head. */
import { toFloat32 } from '../files/dtypes.ts'
import { readJson, type Weights } from '../files/model-folder.ts'
import type { SafeTensor } from '../files/safetensors.ts'
import { readSafetensors, writeSafetensors } from '../files/safetensors-file.ts'
import { canonicalNames } from '../files/weight-names.ts'
import { writeFileAside } from '../files/write-aside.ts'
import { requireFiniteWeights } from '../finite.ts'
import { adapterNames, type LoraConfig, type LoraTarget, targetOf } from './lora.ts'
import type { Parameters } from './parameters.ts'
import { isHead } from './trainable.ts'

export interface WriteAdaptersOptions {
  /** The folder or hub id of the model that the adapters are for; PEFT's `base_model_name_or_path`. @default none */
  baseModel?: string
}

export interface AdapterFolder {
  alpha: number
  /** A and B by the name of the weight they adapt. */
  pairs: Map<string, readonly [loraA: Weights, loraB: Weights]>
  /** Of the head, if the folder has one. */
  head: Map<string, Weights>
}

const CONFIG = 'adapter_config.json'
const WEIGHTS = 'adapter_model.safetensors'
/** PEFT's wrappers around the model. */
const PREFIX = 'base_model.model.'

/** What PEFT can do and Vitral cannot, with the values that leave it undone. */
const plain: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  bias: ['none', undefined],
  use_dora: [false, undefined],
  use_rslora: [false, undefined],
  fan_in_fan_out: [false, undefined],
}

/** Writes the two files; the weights are named as in the model, and have a checksum that reading compares. */
export async function writeAdapterFolder(
  folder: string,
  { rank, alpha, targets }: LoraConfig,
  weights: ReadonlyMap<string, Weights>,
  { baseModel }: WriteAdaptersOptions,
): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  const { join } = await import('node:path')
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
  await mkdir(folder, { recursive: true })
  await writeSafetensors(join(folder, WEIGHTS), tensors, { format: 'pt' })
  await writeFileAside(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
}

/**
 * Reads the two files.
 *
 * @param prefix of the backbone's names in the model
 * @param parameters of the model that the adapters are for
 * @throws naming the field that asks for what Vitral does not have, every tensor that does not fit the model, or the first
 * that holds NaN or Infinity
 */
export async function readAdapterFolder(
  folder: string,
  prefix: string,
  parameters: Parameters,
): Promise<AdapterFolder> {
  const { join } = await import('node:path')
  const config = (await readJson(join(folder, CONFIG))) as Record<string, unknown>
  const { r: rank, lora_alpha: alpha } = checked(config, join(folder, CONFIG))
  const { tensors } = await readSafetensors(join(folder, WEIGHTS))
  const named = new Map([...tensors].map(([name, tensor]) => [name.replace(PREFIX, ''), tensor]))
  const rest = canonicalNames(named, prefix, join(folder, WEIGHTS))

  const problems: string[] = []
  const take = (name: string, shape: readonly number[]): Weights => {
    const found = rest.get(name)
    rest.delete(name)
    if (found?.shape.join() !== shape.join())
      problems.push(`${name} has shape [${found?.shape ?? 'missing'}]; the model needs [${shape}]`)
    const data = found ? toFloat32(found) : new Float32Array()
    requireFiniteWeights([[name, data]], folder)
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
  for (const name of rest.keys()) problems.push(`${name} is unknown to the model`)
  if (result.pairs.size === 0) problems.push('there is no adapter among them')
  if (problems.length > 0)
    throw new Error(`The adapters in ${folder} do not fit the model:\n  ${problems.join('\n  ')}`)
  return result
}

/** In a list of PEFT's a name means every module that ends with it; the MLP's `output.dense` alone takes a pattern. */
function targetModules(targets: readonly LoraTarget[]): string | readonly string[] {
  if (!targets.includes('output.dense') || targets.includes('attention.output.dense')) return targets
  const inLayer = targets.map(target =>
    (target === 'output.dense' ? target : `.*${target}`).replaceAll(/(?<=\w)\./g, '\\.'),
  )
  return `.*\\.layer\\.\\d+\\.(${inLayer.join('|')})`
}

function checked(config: Record<string, unknown>, path: string): { r: number; lora_alpha: number } {
  for (const [field, accepted] of Object.entries(plain))
    if (!accepted.includes(config[field] ?? undefined))
      throw new Error(
        `${path}: ${field} is ${JSON.stringify(config[field]) ?? 'missing'}; expected ${JSON.stringify(accepted[0])}, since Vitral reads plain LoRA adapters.`,
      )
  for (const field of ['rank_pattern', 'alpha_pattern'])
    if (Object.keys(config[field] ?? {}).length > 0)
      throw new Error(`${path}: ${field} gives some layers another value; expected the same for all.`)
  const { r, lora_alpha } = config
  for (const [field, value] of Object.entries({ r, lora_alpha }))
    if (typeof value !== 'number' || !(value > 0))
      throw new Error(`${path}: ${field} is ${JSON.stringify(value) ?? 'missing'}; expected a number above 0.`)
  return { r: r as number, lora_alpha: lora_alpha as number }
}
