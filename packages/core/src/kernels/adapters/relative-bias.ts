/** A table's numbers put in their places, and their gradients added up there. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  tokens: number
  rows: number
}

export const relativeBias: BackendKernel = kernel<Record<'table' | 'index', TensorInfo>, Attributes>(
  'VitralRelativeBias',
  (backend, { table, index }, { tokens }) => {
    const heads = table.shape[1] as number
    const { info, values } = backend.allocate([heads, tokens, tokens])
    const [numbers, places] = [backend.floats(table), backend.ints(index)]
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < places.length; i++)
        values[head * places.length + i] = numbers[(places[i] as number) * heads + head] as number
    return info
  },
)

export const relativeBiasGrad: BackendKernel = kernel<Record<'dy' | 'index', TensorInfo>, Attributes & Backward>(
  'VitralRelativeBiasGrad',
  (backend, { dy, index }, attrs) => {
    const heads = dy.shape[0] as number
    const gradients = new Gradients(backend, attrs)
    const dTable = gradients.floats('table', [attrs.rows, heads])
    const [up, places] = [backend.floats(dy), backend.ints(index)]
    dTable?.fill(0)
    if (dTable)
      for (let head = 0; head < heads; head++)
        for (let i = 0; i < places.length; i++) {
          const at = (places[i] as number) * heads + head
          dTable[at] = (dTable[at] as number) + (up[head * places.length + i] as number)
        }
    return gradients.all()
  },
)
