/** Three thin products. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { type Matrix, matrix } from './product/matrix.ts'
import { multiply } from './product/product.ts'

type Factors = Record<'loraA' | 'loraB', TensorInfo>

interface Attributes {
  scaling: number
}

function matrixOf(backend: WebgpuBackend, tensor: TensorInfo): Matrix {
  const [rows, columns] = tensor.shape as [number, number]
  return matrix(backend, { range: backend.range(tensor), half: false }, { rows, columns })
}

export const loraWeight: WebgpuKernel = kernel<Factors & { weight: TensorInfo }, Attributes>(
  'VitralLoraWeight',
  (backend, { weight, loraA, loraB }, { scaling }) => {
    const [rows, columns] = weight.shape as [number, number]
    const output = backend.output(weight.shape)
    multiply(backend, {
      a: { matrix: matrixOf(backend, loraB), along: 'inner' },
      b: { matrix: matrixOf(backend, loraA), along: 'outer' },
      ...{ rows, columns, inner: loraA.shape[0] as number, scaling },
      ...{ residual: backend.range(weight), output: output.range },
    })
    return output.info
  },
)

/** The gradient of the weight is dy itself: shared, not copied. */
export const loraWeightGrad: WebgpuKernel = kernel<Factors & { dy: TensorInfo }, Attributes & Backward>(
  'VitralLoraWeightGrad',
  (backend, { dy, loraA, loraB }, { scaling, ...attrs }) => {
    const [rank, In] = loraA.shape as [number, number]
    const Out = loraB.shape[0] as number
    const gradients = new Gradients(backend, attrs)
    if (gradients.wants('weight')) gradients.set('weight', backend.share(dy))
    const dA = gradients.range('loraA', loraA.shape)
    const dB = gradients.range('loraB', loraB.shape)
    if (!dA && !dB) return gradients.all()
    const up = matrixOf(backend, dy)
    if (dA)
      multiply(backend, {
        a: { matrix: matrixOf(backend, loraB), along: 'outer' },
        b: { matrix: up, along: 'outer' },
        ...{ rows: rank, columns: In, inner: Out, scaling, output: dA },
      })
    if (dB)
      multiply(backend, {
        a: { matrix: up, along: 'inner' },
        b: { matrix: matrixOf(backend, loraA), along: 'inner' },
        ...{ rows: Out, columns: rank, inner: In, scaling, output: dB },
      })
    return gradients.all()
  },
)
