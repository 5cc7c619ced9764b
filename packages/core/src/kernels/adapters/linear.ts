import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, type Backward, type Forward, rowsOf } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import type { ComputeDtype } from '../calls.ts'
import { type BackendKernel, Gradients, kernel, withoutInt8 } from '../kernel.ts'
import { type DropAttributes, dropRows, dropsOf } from './drops.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

interface Attributes extends DropAttributes, OutputDtypeAttribute {
  inputActivation: 'none' | 'gelu'
}

export const linear: BackendKernel = kernel<
  { x: TensorInfo; weight: TensorInfo; bias?: TensorInfo; residual?: TensorInfo },
  Attributes & Forward & Autocast
>('VitralLinear', (backend, { x, weight, bias, residual }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const shape = [...x.shape.slice(0, -1), outputs]
  const { info, values } = allocateOutput(backend, shape, attrs)
  backend.kernels.linear({
    rows: rowsOf(x),
    inputs,
    outputs,
    dtype: attrs.dtype,
    gelu: attrs.inputActivation === 'gelu',
    x: backend.numbers(x),
    weight: backend.floats(weight),
    // A weight that trains changes after one use.
    packed: attrs.training ? backend.dropPacked([weight]) : packedLinear(backend, weight, attrs.dtype),
    bias: bias ? backend.floats(bias) : null,
    residual: residual ? backend.floats(residual) : null,
    drops: dropsOf(attrs, x),
    output: values,
  })
  return info
})

/** The weight as the matrix product wants it. */
export function packedLinear(backend: KernelBackend, weight: TensorInfo, dtype: ComputeDtype): Float32Array {
  const [outputs, inputs] = weight.shape as [number, number]
  const { kernels } = backend
  return backend.packed(
    [weight],
    dtype,
    () => kernels.packedLinearFloats({ inputs, outputs, dtype }),
    packed => kernels.packLinear({ inputs, outputs, dtype, weight: backend.floats(weight), packed }),
  )
}

/** The gradient of the residual is dy itself: shared, not copied. The product's see what was not dropped of it. */
export const linearGrad: BackendKernel = kernel<
  { dy: TensorInfo; x: TensorInfo; weight: TensorInfo },
  Attributes & Backward & Autocast
>('VitralLinearGrad', (backend, { dy, x, weight }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const gradients = new Gradients(backend, attrs)
  if (gradients.wants('residual')) gradients.set('residual', backend.share(dy))
  if (attrs.wanted.every(name => name === 'residual')) return gradients.all()
  const drops = attrs.dropoutProbability > 0 || attrs.dropPathProbability > 0
  const dBranch = drops ? dropRows(backend, dy, attrs) : backend.share(dy)
  backend.kernels.linearGrad({
    rows: rowsOf(x),
    inputs,
    outputs,
    dtype: withoutInt8(attrs),
    gelu: attrs.inputActivation === 'gelu',
    dy: backend.floats(dBranch),
    x: backend.numbers(x),
    weight: backend.floats(weight),
    dx: gradients.floats('x', x.shape),
    dWeight: gradients.floats('weight', weight.shape),
    dBias: gradients.floats('bias', [outputs]),
  })
  backend.disposeData(dBranch.dataId)
  return gradients.all()
})
