import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from '../backend.ts'
import { type Autocast, type Backward, type Forward, Gradients, inBfloat16, kernel, rowsOf } from '../kernel.ts'

interface Attributes {
  activation: 'none' | 'gelu'
}

export const linear: KernelConfig = kernel<
  { x: TensorInfo; weight: TensorInfo; bias?: TensorInfo },
  Attributes & Forward & Autocast
>('VitralLinear', (backend, { x, weight, bias }, attrs) => {
  const { activation, training } = attrs
  const [outputs, inputs] = weight.shape as [number, number]
  const shape = [...x.shape.slice(0, -1), outputs]
  const gelu = activation === 'gelu'
  const output = backend.allocate(shape)
  const preActivation = gelu && training ? backend.allocate(shape) : undefined
  backend.addon.linear(
    rowsOf(x),
    inputs,
    outputs,
    inBfloat16(attrs),
    backend.floats(x),
    backend.floats(weight),
    training ? null : packedLinear(backend, weight, inBfloat16(attrs)), // a weight that trains changes after one use
    bias ? backend.floats(bias) : null,
    gelu,
    output.values,
    preActivation?.values ?? null,
  )
  return preActivation ? [output.info, preActivation.info] : output.info
})

function packedLinear(backend: NativeBackend, weight: TensorInfo, bfloat16: boolean): Float32Array {
  const [outputs, inputs] = weight.shape as [number, number]
  const { addon } = backend
  return backend.packed([weight], bfloat16, addon.packedLinearFloats(inputs, outputs, bfloat16), packed =>
    addon.packLinear(inputs, outputs, bfloat16, backend.floats(weight), packed),
  )
}

export const linearGrad: KernelConfig = kernel<
  { dy: TensorInfo; x: TensorInfo; weight: TensorInfo; preActivation?: TensorInfo },
  Backward & Autocast
>('VitralLinearGrad', (backend, { dy, x, weight, preActivation }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const gradients = new Gradients(backend, attrs)
  backend.addon.linearGrad(
    rowsOf(x),
    inputs,
    outputs,
    inBfloat16(attrs),
    backend.floats(dy),
    backend.floats(x),
    backend.floats(weight),
    preActivation ? backend.floats(preActivation) : null,
    gradients.floats('x', x.shape),
    gradients.floats('weight', weight.shape),
    gradients.floats('bias', [outputs]),
  )
  return gradients.all()
})
