import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import type { Labels } from '../calls.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  labelSmoothing: number
}

const labelsOf = (backend: KernelBackend, labels: TensorInfo): Labels =>
  labels.shape.length === 1
    ? { labels: backend.ints(labels), probabilities: null }
    : { labels: null, probabilities: backend.floats(labels) }

export const crossEntropy: BackendKernel = kernel<Record<'logits' | 'labels', TensorInfo>, Attributes>(
  'VitralCrossEntropy',
  (backend, { logits, labels }, { labelSmoothing }) => {
    const [batch, classes] = logits.shape as [number, number]
    const { info, values } = backend.allocate([])
    values[0] = backend.kernels.crossEntropy({
      batch,
      classes,
      logits: backend.floats(logits),
      ...labelsOf(backend, labels),
      labelSmoothing,
    })
    return info
  },
)

export const crossEntropyGrad: BackendKernel = kernel<
  Record<'dy' | 'logits' | 'labels', TensorInfo>,
  Attributes & Backward
>('VitralCrossEntropyGrad', (backend, { dy, logits, labels }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  const [batch, classes] = logits.shape as [number, number]
  const dLogits = gradients.floats('logits', logits.shape)
  if (dLogits)
    backend.kernels.crossEntropyGrad({
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
