import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, type Backward, type Forward, rowsOf } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import type { ComputeDtype, QkvWeightArrays } from '../calls.ts'
import { type BackendKernel, Gradients, kernel, withoutInt8 } from '../kernel.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

export type QkvWeights = Record<'queryWeight' | 'keyWeight' | 'valueWeight', TensorInfo>
export type QkvBiases = Partial<Record<'queryBias' | 'keyBias' | 'valueBias', TensorInfo>>

/** The memory of the three weights. */
export const weightArrays = (backend: KernelBackend, weights: QkvWeights): QkvWeightArrays => ({
  queryWeight: backend.floats(weights.queryWeight),
  keyWeight: backend.floats(weights.keyWeight),
  valueWeight: backend.floats(weights.valueWeight),
})

/** Memory for the wanted ones of their gradients. */
export const weightGradients = (
  gradients: Gradients,
  hiddenSize: number,
): Record<'dQueryWeight' | 'dKeyWeight' | 'dValueWeight', Float32Array | null> => ({
  dQueryWeight: gradients.floats('queryWeight', [hiddenSize, hiddenSize]),
  dKeyWeight: gradients.floats('keyWeight', [hiddenSize, hiddenSize]),
  dValueWeight: gradients.floats('valueWeight', [hiddenSize, hiddenSize]),
})

export const qkv: BackendKernel = kernel<
  { x: TensorInfo } & QkvWeights & QkvBiases,
  OutputDtypeAttribute & Forward & Autocast
>('VitralQkv', (backend, { x, ...parameters }, attrs) => {
  const hiddenSize = x.shape.at(-1) as number
  const { info, values } = allocateOutput(backend, [...x.shape.slice(0, -1), 3 * hiddenSize], attrs)
  const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias } = parameters
  const weights = [queryWeight, keyWeight, valueWeight]
  backend.kernels.qkv({
    rows: rowsOf(x),
    hiddenSize,
    dtype: attrs.dtype,
    x: backend.numbers(x),
    ...weightArrays(backend, parameters),
    packed: attrs.training ? backend.dropPacked(weights) : packedQkv(backend, parameters, attrs.dtype),
    queryBias: queryBias ? backend.floats(queryBias) : null,
    keyBias: keyBias ? backend.floats(keyBias) : null,
    valueBias: valueBias ? backend.floats(valueBias) : null,
    output: values,
  })
  return info
})

/** The three weights as one, so that the input is packed and read once. */
export function packedQkv(backend: KernelBackend, weights: QkvWeights, dtype: ComputeDtype): Float32Array {
  const { kernels } = backend
  const { queryWeight, keyWeight, valueWeight } = weights
  const hiddenSize = queryWeight.shape[0] as number
  return backend.packed(
    [queryWeight, keyWeight, valueWeight],
    dtype,
    () => kernels.packedLinearFloats({ inputs: hiddenSize, outputs: 3 * hiddenSize, dtype }),
    packed => kernels.packQkv({ hiddenSize, dtype, ...weightArrays(backend, weights), packed }),
  )
}

export const qkvGrad: BackendKernel = kernel<{ dy: TensorInfo; x: TensorInfo } & QkvWeights, Backward & Autocast>(
  'VitralQkvGrad',
  (backend, { dy, x, ...weights }, attrs) => {
    const hiddenSize = x.shape.at(-1) as number
    const gradients = new Gradients(backend, attrs)
    backend.kernels.qkvGrad({
      rows: rowsOf(x),
      hiddenSize,
      dtype: withoutInt8(attrs),
      dy: backend.floats(dy),
      x: backend.numbers(x),
      ...weightArrays(backend, weights),
      dx: gradients.floats('x', x.shape),
      ...weightGradients(gradients, hiddenSize),
      dQueryBias: gradients.floats('queryBias', [hiddenSize]),
      dKeyBias: gradients.floats('keyBias', [hiddenSize]),
      dValueBias: gradients.floats('valueBias', [hiddenSize]),
    })
    return gradients.all()
  },
)
