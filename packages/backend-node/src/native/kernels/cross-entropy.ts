import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { Labels } from '../addon-calls.ts'
import type { NativeBackend } from '../backend.ts'
import { type Backward, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  labelSmoothing: number
}

const labelsOf = (backend: NativeBackend, labels: TensorInfo): Labels =>
  labels.shape.length === 1
    ? { labels: backend.ints(labels), probabilities: null }
    : { labels: null, probabilities: backend.floats(labels) }

export const crossEntropy: KernelConfig = kernel<Record<'logits' | 'labels', TensorInfo>, Attributes>(
  'VitralCrossEntropy',
  (backend, { logits, labels }, { labelSmoothing }) => {
    const [batch, classes] = logits.shape as [number, number]
    const { info, values } = backend.allocate([])
    values[0] = backend.addon.crossEntropy({
      batch,
      classes,
      logits: backend.floats(logits),
      ...labelsOf(backend, labels),
      labelSmoothing,
    })
    return info
  },
)

export const crossEntropyGrad: KernelConfig = kernel<
  Record<'dy' | 'logits' | 'labels', TensorInfo>,
  Attributes & Backward
>('VitralCrossEntropyGrad', (backend, { dy, logits, labels }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  const [batch, classes] = logits.shape as [number, number]
  const dLogits = gradients.floats('logits', logits.shape)
  if (dLogits)
    backend.addon.crossEntropyGrad({
      batch,
      classes,
      dy: backend.floats(dy)[0] as number,
      logits: backend.floats(logits),
      ...labelsOf(backend, labels),
      labelSmoothing: attrs.labelSmoothing,
      dLogits,
    })
  return gradients.all()
})
