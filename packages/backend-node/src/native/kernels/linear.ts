import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from '../backend.ts'
import { type Backward, type Forward, Gradients, kernel, rowsOf } from '../kernel.ts'

interface Attributes {
  activation: 'none' | 'gelu'
}

export const linear: KernelConfig = kernel<
  { x: TensorInfo; weight: TensorInfo; bias?: TensorInfo },
  Attributes & Forward
>('VitralLinear', (backend, { x, weight, bias }, { activation, training }) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const shape = [...x.shape.slice(0, -1), outputs]
  const gelu = activation === 'gelu'
  const output = backend.allocate(shape)
  const preActivation = gelu && training ? backend.allocate(shape) : undefined
  backend.addon.linear(
    rowsOf(x),
    inputs,
    outputs,
    backend.floats(x),
    backend.floats(weight),
    training ? null : packedLinear(backend, weight), // a weight that trains changes after one use
    bias ? backend.floats(bias) : null,
    gelu,
    output.values,
    preActivation?.values ?? null,
  )
  return preActivation ? [output.info, preActivation.info] : output.info
})

function packedLinear(backend: NativeBackend, weight: TensorInfo): Float32Array {
  const [outputs, inputs] = weight.shape as [number, number]
  const { addon } = backend
  return backend.packed([weight], addon.packedLinearFloats(inputs, outputs), packed =>
    addon.packLinear(inputs, outputs, backend.floats(weight), packed),
  )
}

export const linearGrad: KernelConfig = kernel<
  { dy: TensorInfo; x: TensorInfo; weight: TensorInfo; preActivation?: TensorInfo },
  Backward
>('VitralLinearGrad', (backend, { dy, x, weight, preActivation }, attrs) => {
  const [outputs, inputs] = weight.shape as [number, number]
  const gradients = new Gradients(backend, attrs)
  backend.addon.linearGrad(
    rowsOf(x),
    inputs,
    outputs,
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
