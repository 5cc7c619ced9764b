import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { ComputeDtype } from '../addon.ts'
import type { NativeBackend } from '../backend.ts'
import { type Autocast, type Backward, type Forward, Gradients, kernel, rowsOf, withoutInt8 } from '../kernel.ts'
import { type DropAttributes, dropRows, dropsOf } from './drops.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

interface Attributes extends DropAttributes, OutputDtypeAttribute {
  inputActivation: 'none' | 'gelu'
}

export const linear: KernelConfig = kernel<
  { x: TensorInfo; weight: TensorInfo; bias?: TensorInfo; residual?: TensorInfo },
  Attributes & Forward & Autocast
>('VitralLinear', (backend, { x, weight, bias, residual }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const shape = [...x.shape.slice(0, -1), outputs]
  const { info, values } = allocateOutput(backend, shape, attrs)
  backend.addon.linear(
    rowsOf(x),
    inputs,
    outputs,
    attrs.dtype,
    attrs.inputActivation === 'gelu',
    backend.numbers(x),
    backend.floats(weight),
    // One that trains changes after one use.
    attrs.training ? backend.dropPacked([weight]) : packedLinear(backend, weight, attrs.dtype),
    bias ? backend.floats(bias) : null,
    residual ? backend.floats(residual) : null,
    ...dropsOf(attrs, x),
    values,
  )
  return info
})

/** The weight as the matrix product wants it. */
export function packedLinear(backend: NativeBackend, weight: TensorInfo, dtype: ComputeDtype): Float32Array {
  const [outputs, inputs] = weight.shape as [number, number]
  const { addon } = backend
  return backend.packed(
    [weight],
    dtype,
    () => addon.packedLinearFloats(inputs, outputs, dtype),
    packed => addon.packLinear(inputs, outputs, dtype, backend.floats(weight), packed),
  )
}

/** The gradient of the residual is dy itself: shared, not copied. The product's see what was not dropped of it. */
export const linearGrad: KernelConfig = kernel<
  { dy: TensorInfo; x: TensorInfo; weight: TensorInfo },
  Attributes & Backward & Autocast
>('VitralLinearGrad', (backend, { dy, x, weight }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const gradients = new Gradients(backend, attrs)
  if (gradients.wants('residual')) gradients.set('residual', backend.share(dy))
  if (attrs.wanted.every(name => name === 'residual')) return gradients.all()
  const drops = attrs.dropoutProbability > 0 || attrs.dropPathProbability > 0
  const dBranch = drops ? dropRows(backend, dy, attrs) : backend.share(dy)
  backend.addon.linearGrad(
    rowsOf(x),
    inputs,
    outputs,
    withoutInt8(attrs),
    attrs.inputActivation === 'gelu',
    backend.floats(dBranch),
    backend.numbers(x),
    backend.floats(weight),
    gradients.floats('x', x.shape),
    gradients.floats('weight', weight.shape),
    gradients.floats('bias', [outputs]),
  )
  backend.disposeData(dBranch.dataId)
  return gradients.all()
})
