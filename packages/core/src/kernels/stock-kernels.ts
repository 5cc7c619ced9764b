/** Stock tfjs kernels: our own for those on a model's way, the cpu backend's for all others, on the same memory. */
import {
  copyRegisteredKernels,
  getKernel,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import { type Outputs, rowsOf, sizeOf } from './arguments.ts'
import type { KernelBackend } from './backend.ts'
import { type BackendKernel, kernel } from './kernel.ts'

type Pair = Record<'a' | 'b', TensorInfo>

/** Copies every kernel of `cpu`, and replaces some. A replacement answers null for the cases it leaves to cpu's. */
export function registerStockKernels(backendName: string): void {
  copyRegisteredKernels('cpu', backendName)
  for (const replacement of replacements) {
    const { kernelName } = replacement
    const stock = getKernel(kernelName, 'cpu')
    unregisterKernel(kernelName, backendName)
    registerKernel({
      ...replacement,
      backendName,
      kernelFunc: params => (replacement.kernelFunc(params) as Outputs | null) ?? stock.kernelFunc(params),
    })
  }
}

/** Elementwise on two float32 tensors of one shape: the sums of gradients, above all. */
function binary(kernelName: string, operation: 'add' | 'subtract' | 'multiply'): BackendKernel {
  return kernel<Pair, object>(kernelName, (backend, { a, b }) => {
    const alike = a.dtype === 'float32' && b.dtype === 'float32' && a.shape.join() === b.shape.join()
    if (!alike || sizeOf(a) === 0) return leaveToStock()
    const { info, values } = backend.allocate(a.shape)
    backend.kernels[operation]({ size: sizeOf(a), a: backend.floats(a), b: backend.floats(b), output: values })
    return info
  })
}

const softmax = kernel<{ logits: TensorInfo }, { dim: number }>('Softmax', (backend, { logits }, { dim }) => {
  const columns = logits.shape.at(-1) ?? 1
  const last = dim === -1 || dim === logits.shape.length - 1
  if (logits.dtype !== 'float32' || !last || sizeOf(logits) === 0) return leaveToStock()
  const { info, values } = backend.allocate(logits.shape)
  backend.kernels.softmax({ rows: rowsOf(logits), columns, x: backend.floats(logits), output: values })
  return info
})

const batchMatMul = kernel<Pair, { transposeA: boolean; transposeB: boolean }>(
  'BatchMatMul',
  (backend: KernelBackend, { a, b }, { transposeA, transposeB }) => {
    const batch = a.shape.slice(0, -2)
    const floats = a.dtype === 'float32' && b.dtype === 'float32'
    if (!floats || batch.join() !== b.shape.slice(0, -2).join() || sizeOf(a) === 0 || sizeOf(b) === 0)
      return leaveToStock()
    const [rowsA, columnsA] = a.shape.slice(-2) as [number, number]
    const [rowsB, columnsB] = b.shape.slice(-2) as [number, number]
    const [rows, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA]
    const columns = transposeB ? rowsB : columnsB
    const { info, values } = backend.allocate([...batch, rows, columns])
    backend.kernels.matMul({
      batch: elementsOf(batch),
      rows,
      columns,
      inner,
      a: backend.floats(a),
      transposeA,
      b: backend.floats(b),
      transposeB,
      output: values,
    })
    return info
  },
)

const replacements: readonly BackendKernel[] = [
  binary('Add', 'add'),
  binary('Sub', 'subtract'),
  binary('Multiply', 'multiply'),
  softmax,
  batchMatMul,
]

const leaveToStock = (): Outputs => null as unknown as Outputs
