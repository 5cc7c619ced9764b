/** From a model folder to a model's parameters: names brought to ours, every tensor accounted for. */
import type { Variable } from '@tensorflow/tfjs-core'
import { type HubOptions, readFolder } from '../../files/hub/hub.ts'
import { openModelFolder } from '../../files/model-folder.ts'
import type { WeightFiles } from '../../files/weight-files.ts'
import type { Grid } from '../../ops/index.ts'
import { numPositionedPrefix } from '../architecture.ts'
import { patchGrid, resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'
import { bareNames, type FileTensor, fileTensors, parameterShape } from '../families/file-tensors.ts'
import { familyOf } from '../families/index.ts'
import { parameterShapes } from '../parameters/parameters.ts'
import { fitProblems } from './fit-problems.ts'
import { type Found, isOtherGrid, isSame, type ReadPlan, readParameters } from './read-parameters.ts'
import { warnOfFields, warnOfNew } from './warnings.ts'
import { checkCounts } from './weight-counts.ts'

/** Configuration fields given here override the folder's; for another `imageSize` the positions are interpolated. */
export interface FromPretrainedOptions extends ViTConfigOptions, HubOptions {
  /** Newly initialize tensors that are missing or of another shape, instead of failing: a head for other labels. @default false */
  ignoreMismatchedSizes?: boolean
  /**
   * What keeps the folder's classifier: its shape; or its classes too, which then have to be those of `id2label`, in their
   * order: a classifier of as many other classes is a wrong start, and newly initialized. @default 'same-shape'
   */
  keepHead?: 'same-shape' | 'same-classes'
  /** Called with the names of the tensors that are newly initialized. @default a warning on the console */
  onNewlyInitialized?: (names: string[]) => void
  /** Called with the fields of config.json that neither transformers nor Vitral knows. @default a warning on the console */
  onUnknownFields?: (names: string[]) => void
  /** Seed for newly initialized values. @default 0 */
  seed?: number
  /** Give the model a mask token even if the folder has none. @default false */
  useMaskToken?: boolean
}

export interface Pretrained {
  config: ViTConfig
  /** Variables by our names, without those to be newly initialized. */
  values: Map<string, Variable>
  has: { useMaskToken: boolean; addPoolingLayer: boolean; addProjection: boolean }
}

/** What a model of a kind has by its class. */
type Kind = { prefix: string; classifier: boolean }

/**
 * @param source a path, an address or a hub id
 * @param kind of the model that is being loaded
 * @throws when the folder's configuration asks for what Vitral does not have, and naming the tensors that are unknown,
 *   missing or of the wrong shape, before any of them is read; naming the first that holds NaN or Infinity
 */
export function loadPretrained(source: string | URL, kind: Kind, options: FromPretrainedOptions): Promise<Pretrained> {
  return readFolder(source, 'model', options, async folder => {
    const { config: inFolder, unknown, weights } = await openModelFolder(folder)
    if (unknown.length > 0) (options.onUnknownFields ?? warnOfFields(folder.name))(unknown)
    const plan = await orDamaged(weights, async () => planFor(inFolder, weights.shapes, folder.name, kind, options))
    const { config, has, found, tensors } = plan
    const { signal } = options
    const values = await orDamaged(
      weights,
      () => readParameters(weights, plan, { source: folder.name, signal }),
      signal,
    )
    const parts = [...tensors.values()].flatMap(tensor => tensor.parts.map(({ name }) => ({ name, tensor })))
    const isNew = parts.filter(({ name }) => !values.has(name))
    if (isNew.length > 0) {
      const { onNewlyInitialized } = options
      if (onNewlyInitialized) onNewlyInitialized(isNew.map(({ name }) => name))
      else warnOfNew(folder.name, { found, inFolder: weights.shapes }, [...new Set(isNew.map(({ tensor }) => tensor))])
    }
    return { config, values, has }
  })
}

/** What the model is, and which tensors of the folder it takes. */
function planFor(
  inFolder: ViTConfigOptions,
  inFiles: WeightFiles['shapes'],
  folder: string,
  kind: Kind,
  options: FromPretrainedOptions,
): ReadPlan & Omit<Pretrained, 'values'> {
  const merged = override(inFolder, options)
  const ownHead = options.numLabels !== undefined || options.id2label !== undefined
  checkCounts({ ...merged, ...(ownHead && { numLabels: undefined }) }, inFiles, folder)
  const config = resolveConfig(merged, `The configuration of ${folder}`)
  const { names } = familyOf(config)
  const found = bareNames(
    new Map([...inFiles].map(([name, shape]): [string, Found] => [name, { name, shape }])),
    names,
    folder,
  )
  const has = {
    useMaskToken: found.has('embeddings.mask_token') || (options.useMaskToken ?? false),
    addPoolingLayer: !kind.classifier && found.has('pooler.dense.weight'),
    addProjection: !kind.classifier && found.has('visual_projection.weight'),
  }
  const everyPart = { ...kind, maskToken: has.useMaskToken, pooler: has.addPoolingLayer, projection: has.addProjection }
  const tensors = fileTensors(parameterShapes(config, everyPart), { names, config, ...kind })
  leaveOut(found, tensors, kind.classifier && keepsHead(inFolder, config, options))
  const from = gridOf({ ...resolveConfig({ modelType: config.modelType }), ...inFolder })
  const prefixed = `${kind.prefix}embeddings.position_embeddings`
  const { antialiasPositions: antialias } = config
  const positions = { name: prefixed, from, to: gridOf(config), prefix: numPositionedPrefix(config), antialias }
  checkFit({ tensors, found, positions }, folder, options)
  return { config, has, found, tensors, positions }
}

/** Takes away what a model of this kind does without, as transformers does: heads of other models; and a head of other classes. */
function leaveOut(found: Map<string, Found>, tensors: ReadonlyMap<string, FileTensor>, keepsHead: boolean): void {
  for (const name of found.keys())
    if (isHead(name) ? !(keepsHead && tensors.has(name)) : isPooler(name) && !tensors.has(name)) found.delete(name)
}

/** Classifiers of transformers and of timm. */
const isHead = (name: string): boolean => /^((cls_|distillation_)?classifier|head|head_dist)\.(weight|bias)$/.test(name)
const isPooler = (name: string): boolean =>
  /^(pooler\.dense|visual_projection|head\.(probe|attention|layernorm|mlp))\b/.test(name)

/** A flipped bit in a header or a weight is damage, not another model: the checksum says so before any other error. */
async function orDamaged<T>(weights: WeightFiles, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!signal?.aborted) await weights.verify()
    throw error
  }
}

const gridOf = ({ imageSize, patchSize }: Pick<ViTConfig, 'imageSize' | 'patchSize'>): Grid =>
  patchGrid(imageSize, patchSize)

/** Classes that the folder does not name are others. */
function keepsHead(inFolder: ViTConfigOptions, config: ViTConfig, { keepHead }: FromPretrainedOptions): boolean {
  if (keepHead !== 'same-classes') return true
  const names = Object.entries(inFolder.id2label ?? {})
  return names.length === config.numLabels && names.every(([label, name]) => config.id2label[Number(label)] === name)
}

function checkFit(
  { tensors, found, positions }: Pick<ReadPlan, 'tensors' | 'found' | 'positions'>,
  folder: string,
  { ignoreMismatchedSizes = false, useMaskToken = false }: FromPretrainedOptions,
): void {
  const others: string[] = []
  const missing: string[] = []
  for (const tensor of tensors.values()) {
    const { name, fullName, shape } = tensor
    const inFile = found.get(name)
    if (!inFile && !isOptional(tensor, { ignoreMismatchedSizes, useMaskToken })) missing.push(fullName)
    if (!inFile || isSame(inFile.shape, shape) || ignoreMismatchedSizes) continue
    if (!isOtherGrid(tensor, parameterShape(tensor, inFile.shape), positions))
      others.push(`${fullName} has shape [${inFile.shape}]; the model needs [${shape}]`)
  }
  const unknown = [...found].filter(([name]) => !tensors.has(name)).map(([, { name }]) => name)
  const problems = fitProblems({ others, missing, unknown })
  if (problems.length === 0) return
  const forHead = [...others, ...missing].some(line => isHead(line.split(' ')[0] as string))
  throw new Error(
    `The weights in ${folder} do not fit the model:\n  ${problems.join('\n  ')}` +
      (forHead ? '\nFor a new head, pass { numLabels, ignoreMismatchedSizes: true }.' : ''),
  )
}

/** Whether a tensor may be absent: a head, when it is to be newly initialized; the mask token, which only masked training has. */
function isOptional(
  { name, parts }: FileTensor,
  options: { ignoreMismatchedSizes: boolean; useMaskToken: boolean },
): boolean {
  return (
    (options.ignoreMismatchedSizes && isHead(name)) ||
    (options.useMaskToken && (parts[0]?.name.endsWith('embeddings.mask_token') ?? false))
  )
}

/** The folder's fields with the caller's over them; another number of labels does not keep the old names. */
function override(inFolder: ViTConfigOptions, options: FromPretrainedOptions): ViTConfigOptions {
  const { id2label, ...rest } = inFolder
  const known = resolveConfig()
  const own = Object.fromEntries(
    Object.entries(options).filter(
      ([key, value]) => (Object.hasOwn(known, key) || key === 'mlpRatio') && value !== undefined,
    ),
  ) as ViTConfigOptions
  const count = own.numLabels ?? rest.numLabels
  const keepsNames = id2label && (count === undefined || count === Object.keys(id2label).length)
  return { ...rest, ...(keepsNames && !own.id2label && { id2label }), ...own }
}
