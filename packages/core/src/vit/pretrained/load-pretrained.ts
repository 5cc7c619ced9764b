/** From a model folder to a model's parameters: names brought to ours, every tensor accounted for. */
import { type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core'
import { type HubOptions, resolveModel } from '../../files/hub/hub.ts'
import { openModelFolder } from '../../files/model-folder.ts'
import type { Weights } from '../../files/weight-files.ts'
import { canonicalNames } from '../../files/weight-names.ts'
import { requireFiniteWeights } from '../../finite.ts'
import { type Grid, interpolatePositions } from '../../ops/index.ts'
import { listNames } from '../../text.ts'
import { patchGrid, resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'
import { type ParameterShapes, parameterShapes } from '../parameters/parameters.ts'
import { fitProblems } from './fit-problems.ts'
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
  /** Values by our names, without those to be newly initialized. */
  values: Map<string, Float32Array>
  has: { useMaskToken: boolean; addPoolingLayer: boolean }
}

/** A tensor of the folder, by its name there. */
interface Found {
  name: string
  shape: readonly number[]
}

/** Tensors of heads that a model without that head leaves out, as transformers does. */
const heads = { classifier: /^classifier\./, pooler: /^(vit\.)?pooler\./, decoder: /^decoder\./ }

/**
 * @param kind of the model that is being loaded
 * @throws when the folder's configuration asks for what Vitral does not have, and naming the tensors that are unknown,
 *   missing or of the wrong shape, before any of them is read; naming the first that holds NaN or Infinity
 */
export async function loadPretrained(
  folderOrHubId: string,
  kind: { prefix: string; classifier: boolean },
  options: FromPretrainedOptions,
): Promise<Pretrained> {
  const folder = await resolveModel(folderOrHubId, options)
  const { config: inFolder, unknown, weights } = await openModelFolder(folder)
  if (unknown.length > 0) (options.onUnknownFields ?? warnOfFields(folder))(unknown)
  const fit = (): Omit<Pretrained, 'values'> & { found: Map<string, Found>; shapes: ParameterShapes; from: Grid } => {
    const merged = override(inFolder, options)
    const ownHead = options.numLabels !== undefined || options.id2label !== undefined
    checkCounts({ ...merged, ...(ownHead && { numLabels: undefined }) }, weights.shapes, folder)
    const config = resolveConfig(merged, `The configuration of ${folder}`)
    const found = tensorsOf(weights.shapes, { ...kind, keepsHead: keepsHead(inFolder, config, options) }, folder)
    const has = {
      useMaskToken: found.has(`${kind.prefix}embeddings.mask_token`) || (options.useMaskToken ?? false),
      addPoolingLayer: found.has('pooler.dense.weight'),
    }
    const shapes = parameterShapes(config, { ...kind, maskToken: has.useMaskToken, pooler: has.addPoolingLayer })
    const from = gridOf({ ...resolveConfig(), ...inFolder })
    checkFit(withPositions(shapes, found, kind.prefix, from, gridOf(config)), found, folder, options)
    return { config, has, found, shapes, from }
  }
  const { config, has, found, shapes, from } = await orDamaged(fit, weights.verify)

  const read = await weights.read()
  const values = new Map<string, Float32Array>()
  for (const [name, shape] of shapes) {
    const tensor = read.get(found.get(name)?.name ?? '')
    if (!tensor) continue
    const fitted = name === positionsName(kind.prefix) ? await fitPositions(tensor, from, gridOf(config)) : tensor
    if (isSame(fitted.shape, shape)) values.set(name, fitted.data)
  }
  requireFiniteWeights(values, folder)
  const newNames = [...shapes.keys()].filter(name => !values.has(name))
  if (newNames.length > 0)
    (options.onNewlyInitialized ?? warnOfNew(folder, { found, shapes, inFolder: weights.shapes }))(newNames)
  return { config, values, has }
}

/** A flipped bit in a header is damage, not another model: the checksum says so before any other error. */
async function orDamaged<T>(attempt: () => T, verify: () => Promise<void>): Promise<T> {
  try {
    return attempt()
  } catch (error) {
    await verify()
    throw error
  }
}

const positionsName = (prefix: string): string => `${prefix}embeddings.position_embeddings`

const gridOf = ({ imageSize, patchSize }: Pick<ViTConfig, 'imageSize' | 'patchSize'>): Grid =>
  patchGrid(imageSize, patchSize)

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join()

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
  prefix: string,
  from: Grid,
  to: Grid,
): ParameterShapes {
  const name = positionsName(prefix)
  const [, positions, hiddenSize] = found.get(name)?.shape ?? []
  if (isSame(from, to) || positions !== 1 + from[0] * from[1]) return shapes
  return new Map(shapes).set(name, [1, positions, shapes.get(name)?.[2] ?? (hiddenSize as number)])
}

/** @returns positions of the grid `to`, where they are those of the grid `from` */
async function fitPositions(positions: Weights, from: Grid, to: Grid): Promise<Weights> {
  if (isSame(from, to) || positions.shape[1] !== 1 + from[0] * from[1]) return positions
  const shape = positions.shape as Tensor3D['shape']
  const resized = tidy(() => interpolatePositions(tensor3d(positions.data, shape), from, to))
  const data = (await resized.data()) as Float32Array
  resized.dispose()
  return { shape: resized.shape, data }
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

const warnOfFields =
  (folder: string) =>
  (names: string[]): void =>
    console.warn(
      `${folder}/config.json has fields that neither transformers nor Vitral knows, and that change nothing: ${listNames(names)}.`,
    )

const warnOfNew =
  (
    folder: string,
    {
      found,
      shapes,
      inFolder,
    }: { found: ReadonlyMap<string, Found>; shapes: ParameterShapes; inFolder: ReadonlyMap<string, unknown> },
  ) =>
  (names: string[]): void => {
    const left = names.filter(name => !found.has(name) && inFolder.has(name))
    const missing = names.filter(name => !found.has(name) && !inFolder.has(name))
    const others = names
      .filter(name => found.has(name))
      .map(name => `${name} ([${found.get(name)?.shape}] there, [${shapes.get(name)}] in the model)`)
    const reasons = [
      ...(left.length > 0 ? [`of other classes in ${folder}: ${listNames(left)}`] : []),
      ...(missing.length > 0 ? [`not in ${folder}: ${listNames(missing)}`] : []),
      ...(others.length > 0 ? [`of another shape in ${folder}: ${listNames(others)}`] : []),
    ]
    console.warn(`Some weights are newly initialized and have to be trained; ${reasons.join('; ')}.`)
  }
