/** From a model folder to a model's parameters: names brought to ours, every tensor accounted for. */
import type { Variable } from '@tensorflow/tfjs-core'
import { type HubOptions, readFolder } from '../../files/hub/hub.ts'
import { openModelFolder } from '../../files/model-folder.ts'
import type { WeightFiles } from '../../files/weight-files.ts'
import { canonicalNames } from '../../files/weight-names.ts'
import type { Grid } from '../../ops/index.ts'
import { patchGrid, resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'
import { type ParameterShapes, parameterShapes } from '../parameters/parameters.ts'
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
  has: { useMaskToken: boolean; addPoolingLayer: boolean }
}

/** Tensors of heads that a model without that head leaves out, as transformers does. */
const heads = { classifier: /^classifier\./, pooler: /^(vit\.)?pooler\./, decoder: /^decoder\./ }

/**
 * @param source a path, an address or a hub id
 * @param kind of the model that is being loaded
 * @throws when the folder's configuration asks for what Vitral does not have, and naming the tensors that are unknown,
 *   missing or of the wrong shape, before any of them is read; naming the first that holds NaN or Infinity
 */
export function loadPretrained(
  source: string | URL,
  kind: { prefix: string; classifier: boolean },
  options: FromPretrainedOptions,
): Promise<Pretrained> {
  return readFolder(source, 'model', options, async folder => {
    const { config: inFolder, unknown, weights } = await openModelFolder(folder)
    if (unknown.length > 0) (options.onUnknownFields ?? warnOfFields(folder.name))(unknown)
    const plan = await orDamaged(weights, async () => planFor(inFolder, weights.shapes, folder.name, kind, options))
    const { config, has, found, shapes } = plan
    const { signal } = options
    const values = await orDamaged(
      weights,
      () => readParameters(weights, plan, { source: folder.name, signal }),
      signal,
    )
    const newNames = [...shapes.keys()].filter(name => !values.has(name))
    if (newNames.length > 0)
      (options.onNewlyInitialized ?? warnOfNew(folder.name, { found, shapes, inFolder: weights.shapes }))(newNames)
    return { config, values, has }
  })
}

/** What the model is, and which tensors of the folder it takes. */
function planFor(
  inFolder: ViTConfigOptions,
  inFiles: WeightFiles['shapes'],
  folder: string,
  kind: { prefix: string; classifier: boolean },
  options: FromPretrainedOptions,
): ReadPlan & Omit<Pretrained, 'values'> {
  const merged = override(inFolder, options)
  const ownHead = options.numLabels !== undefined || options.id2label !== undefined
  checkCounts({ ...merged, ...(ownHead && { numLabels: undefined }) }, inFiles, folder)
  const config = resolveConfig(merged, `The configuration of ${folder}`)
  const found = tensorsOf(inFiles, { ...kind, keepsHead: keepsHead(inFolder, config, options) }, folder)
  const has = {
    useMaskToken: found.has(`${kind.prefix}embeddings.mask_token`) || (options.useMaskToken ?? false),
    addPoolingLayer: found.has('pooler.dense.weight'),
  }
  const shapes = parameterShapes(config, { ...kind, maskToken: has.useMaskToken, pooler: has.addPoolingLayer })
  const from = gridOf({ ...resolveConfig(), ...inFolder })
  const positions = { name: `${kind.prefix}embeddings.position_embeddings`, from, to: gridOf(config) }
  checkFit(withPositions(shapes, found, positions), found, folder, options)
  return { config, has, found, shapes, positions }
}

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

/** The tensors that a model of this kind has, by our names. */
function tensorsOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  { prefix, classifier, keepsHead }: { prefix: string; classifier: boolean; keepsHead: boolean },
  folder: string,
): Map<string, Found> {
  const named = new Map([...shapes].map(([name, shape]) => [name, { name, shape }]))
  const found = canonicalNames(named, prefix, folder)
  const pooler = !classifier && found.has('pooler.dense.weight')
  for (const name of found.keys())
    if (
      (!(classifier && keepsHead) && heads.classifier.test(name)) ||
      (!pooler && heads.pooler.test(name)) ||
      heads.decoder.test(name)
    )
      found.delete(name)
  return found
}

/** Classes that the folder does not name are others. */
function keepsHead(inFolder: ViTConfigOptions, config: ViTConfig, { keepHead }: FromPretrainedOptions): boolean {
  if (keepHead !== 'same-classes') return true
  const names = Object.entries(inFolder.id2label ?? {})
  return names.length === config.numLabels && names.every(([label, name]) => config.id2label[Number(label)] === name)
}

/** The shapes to find: for another image size than the folder's, its positions are interpolated once they are read. */
function withPositions(
  shapes: ParameterShapes,
  found: ReadonlyMap<string, Found>,
  positions: ReadPlan['positions'],
): ParameterShapes {
  const { name } = positions
  const [, count, hiddenSize] = found.get(name)?.shape ?? []
  if (count === undefined || !isOtherGrid(name, [1, count], positions)) return shapes
  return new Map(shapes).set(name, [1, count, shapes.get(name)?.[2] ?? (hiddenSize as number)])
}

function checkFit(
  shapes: ParameterShapes,
  found: ReadonlyMap<string, Found>,
  folder: string,
  { ignoreMismatchedSizes = false, useMaskToken = false }: FromPretrainedOptions,
): void {
  const others: string[] = []
  const missing: string[] = []
  for (const [name, shape] of shapes) {
    const tensor = found.get(name)
    if (!tensor && !isOptional(name, { ignoreMismatchedSizes, useMaskToken })) missing.push(name)
    if (tensor && !isSame(tensor.shape, shape) && !ignoreMismatchedSizes)
      others.push(`${name} has shape [${tensor.shape}]; the model needs [${shape}]`)
  }
  const unknown = [...found.keys()].filter(name => !shapes.has(name))
  const problems = fitProblems({ others, missing, unknown })
  if (problems.length === 0) return
  const forHead = [...others, ...missing].some(name => heads.classifier.test(name))
  throw new Error(
    `The weights in ${folder} do not fit the model:\n  ${problems.join('\n  ')}` +
      (forHead ? '\nFor a new head, pass { numLabels, ignoreMismatchedSizes: true }.' : ''),
  )
}

/** Whether a tensor may be absent: a head, when it is to be newly initialized; the mask token, which only masked training has. */
function isOptional(name: string, options: { ignoreMismatchedSizes: boolean; useMaskToken: boolean }): boolean {
  return (
    (options.ignoreMismatchedSizes && heads.classifier.test(name)) ||
    (options.useMaskToken && name.endsWith('embeddings.mask_token'))
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
