/** Warnings of loading a model, for who gives no callback: on the console, a line each. */
import { listNames } from '../../text.ts'
import type { ParameterShapes } from '../parameters/parameters.ts'
import type { Found } from './read-parameters.ts'

/** Says which fields of a configuration nobody knows. */
export const warnOfFields =
  (folder: string) =>
  (names: string[]): void =>
    console.warn(
      `${folder}/config.json has fields that neither transformers nor Vitral knows, and that change nothing: ${listNames(names)}.`,
    )

/** Says which weights are newly initialized, and why. */
export const warnOfNew =
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
