/** Makes batch transforms again from their specs: in a worker, or from a file. */
import type { BatchTransform, TransformSpec } from '../../types.ts'
import { cutMix } from './cut-mix.ts'
import { mixUp } from './mix-up.ts'
import { mixUpOrCutMix } from './mix-up-or-cut-mix.ts'

const factories: Readonly<Record<string, (...args: never[]) => BatchTransform>> = { cutMix, mixUp, mixUpOrCutMix }

/** A transform of whole batches by its name and arguments. @throws when no factory has the spec's name. */
export function createBatchTransform({ name, args }: TransformSpec): BatchTransform {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (!factory)
    throw new Error(`There is no batch transform '${name}'; expected one of ${Object.keys(factories).join(', ')}.`)
  return factory(...(args as never[]))
}
