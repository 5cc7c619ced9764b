import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from '../backend.ts'
import { type Backward, kernel, sizeOf } from '../kernel.ts'

interface Attributes {
  probability: number
  seed: number
}

function multiplyByMask(backend: NativeBackend, x: TensorInfo, { probability, seed }: Attributes): TensorInfo {
  const { info, values } = backend.allocate(x.shape)
  backend.addon.dropout(sizeOf(x), backend.floats(x), probability, seed, values)
  return info
}

export const dropout: KernelConfig = kernel<{ x: TensorInfo }, Attributes>('VitralDropout', (backend, { x }, attrs) =>
  multiplyByMask(backend, x, attrs),
)

export const dropoutGrad: KernelConfig = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralDropoutGrad',
  (backend, { dy }, attrs) => attrs.wanted.map(() => multiplyByMask(backend, dy, attrs)),
)
