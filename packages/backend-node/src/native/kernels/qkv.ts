import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { ComputeDtype } from '../addon.ts'
import type { NativeBackend } from '../backend.ts'
import { type Autocast, type Backward, type Forward, Gradients, kernel, rowsOf, withoutInt8 } from '../kernel.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

export type QkvWeights = Record<'queryWeight' | 'keyWeight' | 'valueWeight', TensorInfo>
export type QkvBiases = Partial<Record<'queryBias' | 'keyBias' | 'valueBias', TensorInfo>>

export const weightNames = ['queryWeight', 'keyWeight', 'valueWeight'] as const
export const biasNames = ['queryBias', 'keyBias', 'valueBias'] as const

export const qkv: KernelConfig = kernel<
  { x: TensorInfo } & QkvWeights & QkvBiases,
  OutputDtypeAttribute & Forward & Autocast
>('VitralQkv', (backend, { x, ...parameters }, attrs) => {
  const hiddenSize = x.shape.at(-1) as number
  const { info, values } = allocateOutput(backend, [...x.shape.slice(0, -1), 3 * hiddenSize], attrs)
  const weights = weightNames.map(name => parameters[name])
  backend.addon.qkv(
    rowsOf(x),
    hiddenSize,
    attrs.dtype,
    backend.numbers(x),
    ...weights.map(weight => backend.floats(weight)),
    attrs.training ? backend.dropPacked(weights) : packedQkv(backend, weights, attrs.dtype),
    ...biasNames.map(name => (parameters[name] ? backend.floats(parameters[name]) : null)),
    values,
  )
  return info
})

/** The three weights as one, so that the input is packed and read once. */
export function packedQkv(backend: NativeBackend, weights: readonly TensorInfo[], dtype: ComputeDtype): Float32Array {
  const { addon } = backend
  const hiddenSize = weights[0]?.shape[0] as number
  return backend.packed(
    weights,
    dtype,
    () => addon.packedLinearFloats(hiddenSize, 3 * hiddenSize, dtype),
    packed => {
      const [query, key, value] = weights.map(weight => backend.floats(weight)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ]
      addon.packQkv(hiddenSize, dtype, query, key, value, packed)
    },
  )
}

export const qkvGrad: KernelConfig = kernel<{ dy: TensorInfo; x: TensorInfo } & QkvWeights, Backward & Autocast>(
  'VitralQkvGrad',
  (backend, { dy, x, ...weights }, attrs) => {
    const hiddenSize = x.shape.at(-1) as number
    const gradients = new Gradients(backend, attrs)
    backend.addon.qkvGrad(
      rowsOf(x),
      hiddenSize,
      withoutInt8(attrs),
      backend.floats(dy),
      backend.numbers(x),
      ...weightNames.map(name => backend.floats(weights[name])),
      gradients.floats('x', x.shape),
      ...weightNames.map(name => gradients.floats(name, [hiddenSize, hiddenSize])),
      ...biasNames.map(name => gradients.floats(name, [hiddenSize])),
    )
    return gradients.all()
  },
)
