/** Makes transforms again from their specs in a worker, those of the user's modules among them. */
import type { BatchTransform, Transform, TransformSpec } from '../types.ts'
import { callExport, isInModule } from '../user-module.ts'
import { createBatchTransform } from './batch/create-batch-transform.ts'
import { compose } from './compose.ts'
import { createTransform } from './create-transform.ts'

/** @throws when no factory has the spec's name, or its module does not make a transform */
export async function importTransform(spec: TransformSpec): Promise<Transform> {
  if (isInModule(spec)) return made(spec, await callExport(spec, spec.args, 'a transform')) as Transform
  const parts = partsOf(spec)
  return parts ? compose(await Promise.all(parts.map(importTransform))) : createTransform(spec)
}

/** @throws when no factory has the spec's name, or its module does not make a transform */
export async function importBatchTransform(spec: TransformSpec): Promise<BatchTransform> {
  if (!isInModule(spec)) return createBatchTransform(spec)
  return made(spec, await callExport(spec, spec.args, 'a batch transform')) as BatchTransform
}

/** What can be told without importing the user's modules. @throws when no factory has the spec's name */
export function checkTransform(spec: TransformSpec): void {
  if (isInModule(spec)) return
  const parts = partsOf(spec)
  if (parts) parts.forEach(checkTransform)
  else createTransform(spec)
}

const partsOf = ({ name, args }: TransformSpec): readonly TransformSpec[] | undefined =>
  name === 'compose' ? (args[0] as readonly TransformSpec[]) : undefined

function made({ name, module }: TransformSpec, transform: unknown): unknown {
  if (typeof (transform as Partial<Transform> | undefined)?.apply === 'function') return transform
  throw new Error(`${module} made no transform '${name}'; expected { name, args, module, apply }.`)
}
