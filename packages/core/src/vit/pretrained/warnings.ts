/** Warnings of loading a model, for who gives no callback: on the console, a line each. */
import { listNames } from '../../text.ts'
import type { FileTensor } from '../families/file-tensors.ts'
import type { Found } from './read-parameters.ts'

/** Says which fields of a configuration nobody knows. */
export const warnOfFields =
  (folder: string) =>
  (names: string[]): void =>
    console.warn(
      `${folder}/config.json has fields that neither transformers nor Vitral knows, and that change nothing: ${listNames(names)}.`,
    )

/** Says which weights are newly initialized, and why. */
export function warnOfNew(
  folder: string,
  { found, inFolder }: { found: ReadonlyMap<string, Found>; inFolder: ReadonlyMap<string, unknown> },
  tensors: readonly FileTensor[],
): void {
  const namesOf = (which: (tensor: FileTensor) => boolean): string[] =>
    tensors.filter(which).map(({ fullName }) => fullName)
  const left = namesOf(({ name, fullName }) => !found.has(name) && inFolder.has(fullName))
  const missing = namesOf(({ name, fullName }) => !found.has(name) && !inFolder.has(fullName))
  const others = tensors
    .filter(({ name }) => found.has(name))
    .map(({ name, fullName, shape }) => `${fullName} ([${found.get(name)?.shape}] there, [${shape}] in the model)`)
  const reasons = [
    ...(left.length > 0 ? [`of other classes in ${folder}: ${listNames(left)}`] : []),
    ...(missing.length > 0 ? [`not in ${folder}: ${listNames(missing)}`] : []),
    ...(others.length > 0 ? [`of another shape in ${folder}: ${listNames(others)}`] : []),
  ]
  console.warn(`Some weights are newly initialized and have to be trained; ${reasons.join('; ')}.`)
}
