/** Three thin products. The factor is taken into A or B, which are small, so that no matrix of W's size is read for it. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, sizeOf } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

type Factors = Record<'loraA' | 'loraB', TensorInfo>

interface Attributes {
  scaling: number
}

/** [rows, columns] = a·b over `inner`, or of the transposes. */
function product(
  backend: KernelBackend,
  [rows, columns, inner]: [number, number, number],
  call: { a: Float32Array; transposeA?: boolean; b: Float32Array; transposeB?: boolean; output: Float32Array },
): void {
  backend.kernels.matMul({ batch: 1, rows, columns, inner, transposeA: false, transposeB: false, ...call })
}

const scaled = (values: Float32Array, factor: number): Float32Array => values.map(value => value * factor)

export const loraWeight: BackendKernel = kernel<Factors & { weight: TensorInfo }, Attributes>(
  'VitralLoraWeight',
  (backend, { weight, loraA, loraB }, { scaling }) => {
    const [rank, inputs] = loraA.shape as [number, number]
    const outputs = loraB.shape[0] as number
    const { info, values } = backend.allocate(weight.shape)
    const b = scaled(backend.floats(loraA), scaling)
    product(backend, [outputs, inputs, rank], { a: backend.floats(loraB), b, output: values })
    backend.kernels.add({ size: sizeOf(weight), a: backend.floats(weight), b: values, output: values })
    return info
  },
)

/** The gradient of the weight is dy itself: shared, not copied. */
export const loraWeightGrad: BackendKernel = kernel<Factors & { dy: TensorInfo }, Attributes & Backward>(
  'VitralLoraWeightGrad',
  (backend, { dy, loraA, loraB }, attrs) => {
    const [rank, inputs] = loraA.shape as [number, number]
    const outputs = loraB.shape[0] as number
    const gradients = new Gradients(backend, attrs)
    if (gradients.wants('weight')) gradients.set('weight', backend.share(dy))
    const [dA, dB] = [gradients.floats('loraA', loraA.shape), gradients.floats('loraB', loraB.shape)]
    const up = backend.floats(dy)
    if (dA) {
      const a = scaled(backend.floats(loraB), attrs.scaling)
      product(backend, [rank, inputs, outputs], { a, transposeA: true, b: up, output: dA })
    }
    if (dB) {
      const b = scaled(backend.floats(loraA), attrs.scaling)
      product(backend, [outputs, rank, inputs], { a: up, b, transposeB: true, output: dB })
    }
    return gradients.all()
  },
)
