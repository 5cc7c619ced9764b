import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { Labels } from '../addon.ts'
import type { NativeBackend } from '../backend.ts'
import { type Backward, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  labelSmoothing: number
}

const labelsOf = (backend: NativeBackend, labels: TensorInfo): Labels =>
  labels.shape.length === 1 ? [backend.ints(labels), null] : [null, backend.floats(labels)]

export const crossEntropy: KernelConfig = kernel<Record<'logits' | 'labels', TensorInfo>, Attributes>(
  'VitralCrossEntropy',
  (backend, { logits, labels }, { labelSmoothing }) => {
    const shape = logits.shape as [number, number]
    const { info, values } = backend.allocate([])
    values[0] = backend.addon.crossEntropy(
      ...shape,
      backend.floats(logits),
      ...labelsOf(backend, labels),
      labelSmoothing,
    )
    return info
  },
)

export const crossEntropyGrad: KernelConfig = kernel<
  Record<'dy' | 'logits' | 'labels', TensorInfo>,
  Attributes & Backward
>('VitralCrossEntropyGrad', (backend, { dy, logits, labels }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  const dLogits = gradients.floats('logits', logits.shape)
  if (dLogits)
    backend.addon.crossEntropyGrad(
      ...(logits.shape as [number, number]),
      backend.floats(dy)[0] as number,
      backend.floats(logits),
      ...labelsOf(backend, labels),
      attrs.labelSmoothing,
      dLogits,
    )
  return gradients.all()
})
