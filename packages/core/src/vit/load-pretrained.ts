/** From a model folder to a model's parameters: names brought to ours, every tensor accounted for. */
import { type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core'
import { type HubOptions, resolveModel } from '../files/hub.ts'
import { readModelFolder, type Weights } from '../files/model-folder.ts'
import { canonicalNames } from '../files/weight-names.ts'
import { requireFiniteWeights } from '../finite.ts'
import { type Grid, interpolatePositions } from '../ops/index.ts'
import { patchGrid, resolveConfig, type ViTConfig, type ViTConfigOptions } from './config.ts'
import { type ParameterShapes, parameterShapes } from './parameters.ts'

/** Configuration fields given here override the folder's; for another `imageSize` the positions are interpolated. */
export interface FromPretrainedOptions extends ViTConfigOptions, HubOptions {
  /** Make tensors that are missing or of another shape anew, instead of failing: a head for other labels. @default false */
  ignoreMismatchedSizes?: boolean
  /**
   * What keeps the folder's classifier: its shape; or its classes too, which then have to be those of `id2label`, in their
   * order: a classifier of as many other classes is a wrong start, and newly initialized. @default 'same-shape'
   */
  keepHead?: 'same-shape' | 'same-classes'
  /** Told the names of the tensors made anew. @default a warning on the console */
  onMadeAnew?: (names: string[]) => void
  /** Of the values made anew. @default 0 */
  seed?: number
  /** Give the model a mask token even if the folder has none. @default false */
  useMaskToken?: boolean
}

export interface Pretrained {
  config: ViTConfig
  /** By our names; without those to be made anew. */
  values: Map<string, Float32Array>
  has: { useMaskToken: boolean; addPoolingLayer: boolean }
}

/** Tensors of heads that a model without that head leaves out, as transformers does. */
const heads = { classifier: /^classifier\./, pooler: /^(vit\.)?pooler\./, decoder: /^decoder\./ }

/**
 * @param kind of the model that is being loaded
 * @throws naming every tensor that is unknown, missing or of the wrong shape, or the first that holds NaN or Infinity
 */
export async function loadPretrained(
  folderOrHubId: string,
  kind: { prefix: string; classifier: boolean },
  options: FromPretrainedOptions,
): Promise<Pretrained> {
  const folder = await resolveModel(folderOrHubId, options)
  const { config: inFolder, weights } = await readModelFolder(folder)
  const config = resolveConfig(override(inFolder, options), `The configuration of ${folder}`)
  const found = canonicalNames(weights, kind.prefix, folder)
  const pooler = !kind.classifier && found.has('pooler.dense.weight')
  const maskTokenFound = found.has(`${kind.prefix}embeddings.mask_token`)
  const maskToken = maskTokenFound || (options.useMaskToken ?? false)
  for (const name of found.keys())
    if (
      (!kind.classifier && heads.classifier.test(name)) ||
      (!keepsHead(inFolder, config, options) && heads.classifier.test(name)) ||
      (!pooler && heads.pooler.test(name)) ||
      heads.decoder.test(name)
    )
      found.delete(name)

  await fitPositions(found, `${kind.prefix}embeddings.position_embeddings`, { ...resolveConfig(), ...inFolder }, config)
  const shapes = parameterShapes(config, { ...kind, maskToken, pooler })
  const values = match(shapes, found, folder, options)
  requireFiniteWeights(values, folder)
  const madeAnew = [...shapes.keys()].filter(name => !values.has(name))
  if (madeAnew.length > 0) (options.onMadeAnew ?? warn(folder))(madeAnew)
  return { config, values, has: { useMaskToken: maskToken, addPoolingLayer: pooler } }
}

/** Classes that the folder does not name are others. */
function keepsHead(inFolder: ViTConfigOptions, config: ViTConfig, { keepHead }: FromPretrainedOptions): boolean {
  if (keepHead !== 'same-classes') return true
  const names = Object.entries(inFolder.id2label ?? {})
  return names.length === config.numLabels && names.every(([label, name]) => config.id2label[Number(label)] === name)
}

type GridFields = Pick<ViTConfig, 'imageSize' | 'patchSize'>

/** For another image size than the folder's: its positions, interpolated to the grid that the model will have. */
async function fitPositions(
  found: Map<string, Weights>,
  name: string,
  before: GridFields,
  after: GridFields,
): Promise<void> {
  const [from, to] = [before, after].map(({ imageSize, patchSize }) => patchGrid(imageSize, patchSize)) as [Grid, Grid]
  const positions = found.get(name)
  if (from.join() === to.join() || positions?.shape[1] !== 1 + from[0] * from[1]) return
  const shape = positions.shape as Tensor3D['shape']
  const resized = tidy(() => interpolatePositions(tensor3d(positions.data, shape), from, to))
  found.set(name, { shape: resized.shape, data: (await resized.data()) as Float32Array })
  resized.dispose()
}

function match(
  shapes: ParameterShapes,
  found: ReadonlyMap<string, Weights>,
  folder: string,
  { ignoreMismatchedSizes = false, useMaskToken = false }: FromPretrainedOptions,
): Map<string, Float32Array> {
  const problems: string[] = []
  const values = new Map<string, Float32Array>()
  for (const [name, shape] of shapes) {
    const weights = found.get(name)
    if (weights && weights.shape.join() === shape.join()) values.set(name, weights.data)
    else if (weights && !ignoreMismatchedSizes)
      problems.push(`${name} has shape [${weights.shape}]; the model needs [${shape}]`)
    else if (!weights && !isOptional(name, { ignoreMismatchedSizes, useMaskToken })) problems.push(`${name} is missing`)
  }
  for (const name of found.keys()) if (!shapes.has(name)) problems.push(`${name} is unknown to the model`)
  if (problems.length > 0)
    throw new Error(
      `The weights in ${folder} do not fit the model:\n  ${problems.join('\n  ')}\n` +
        'For a new head, pass { numLabels, ignoreMismatchedSizes: true }.',
    )
  return values
}

/** What may be absent: a head, when it is to be made anew; the mask token, which only masked training has. */
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

const warn =
  (folder: string) =>
  (names: string[]): void =>
    console.warn(`Not in ${folder}, so made anew and to be trained: ${names.join(', ')}`)
