/** From a model's parameters to the tensors of its files, and back: one layout that is read and written. */
import type { ViTConfig } from '../config.ts'
import type { ParameterShapes } from '../parameters/parameters.ts'
import type { FamilyNames, Renaming } from './family.ts'

/** A tensor as it is in files. */
export interface FileTensor {
  /** Without the backbone's prefix. */
  name: string
  /** Its name in what is written. */
  fullName: string
  shape: number[]
  /** The parameters whose rows it holds, one after the other; nearly always one. */
  parts: { name: string; shape: readonly number[] }[]
}

/** Whose names, and whose prefix: a classifier's or the bare model's. */
export interface FileNaming {
  names: FamilyNames
  config: ViTConfig
  /** Before the backbone's parameters in the model. */
  prefix: string
  classifier: boolean
}

/** The tensors of the files by their names without the backbone's prefix. */
export function fileTensors(shapes: ParameterShapes, naming: FileNaming): Map<string, FileTensor> {
  const { names, config, prefix, classifier } = naming
  const inLayer = names.inLayer(config)
  const others = names.others(config)
  const filePrefix = names.prefixes[classifier ? 'classifier' : 'model']
  const tensors = new Map<string, FileTensor>()
  for (const [parameter, shape] of shapes) {
    const isHead = /^(\w*classifier|visual_projection)\./.test(parameter)
    const bare = isHead ? parameter : parameter.slice(prefix.length)
    const [, index, rest] = /^encoder\.layer\.(\d+)\.(.+)$/.exec(bare) ?? []
    const name = rest === undefined ? renamed(bare, others) : `${names.layers}${index}.${renamed(rest, inLayer)}`
    const rank = names.ranks?.[name] ?? shape.length
    const found = tensors.get(name)
    if (found) {
      found.parts.push({ name: parameter, shape })
      found.shape[0] = (found.shape[0] as number) + (shape[0] as number)
    } else
      tensors.set(name, {
        name,
        fullName: isHead ? name : filePrefix + name,
        shape: shape.slice(shape.length - rank),
        parts: [{ name: parameter, shape }],
      })
  }
  return tensors
}

/** The shape of the first parameter of a tensor that was found with this one: leading axes of 1 where files have none. */
export function parameterShape({ parts }: FileTensor, found: readonly number[]): number[] {
  const rank = parts[0]?.shape.length ?? found.length
  return [...Array<number>(Math.max(0, rank - found.length)).fill(1), ...found]
}

function renamed(name: string, renamings: readonly Renaming[]): string {
  const found = renamings.find(([ours]) => name === ours || name.startsWith(`${ours}.`))
  return found ? found[1] + name.slice(found[0].length) : name
}

/**
 * Tensors by their names without the backbone's prefix, as one spelling has them.
 *
 * @param source what errors call the folder
 * @throws when two tensors have the same name then: there is no saying which is meant
 */
export function bareNames<T>(tensors: ReadonlyMap<string, T>, names: FamilyNames, source: string): Map<string, T> {
  const { prefixes, spelled = name => name, leftOut } = names
  const prefix = prefixes.classifier
  const bare = new Map<string, T>()
  for (const [name, tensor] of tensors) {
    const own = spelled(name.startsWith(prefix) ? name.slice(prefix.length) : name)
    if (leftOut?.test(own)) continue
    if (bare.has(own)) throw new Error(`${source} has the tensor ${prefix + own} twice, once as ${name}.`)
    bare.set(own, tensor)
  }
  return bare
}
