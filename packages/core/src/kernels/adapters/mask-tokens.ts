import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

export const maskTokens: BackendKernel = kernel<Record<'patches' | 'maskToken' | 'mask', TensorInfo>, object>(
  'VitralMaskTokens',
  (backend, { patches, maskToken, mask }) => {
    const [batch, count, hiddenSize] = patches.shape as [number, number, number]
    const { info, values } = backend.allocate(patches.shape)
    backend.kernels.maskTokens({
      batch,
      patches: count,
      hiddenSize,
      patchEmbeddings: backend.floats(patches),
      maskToken: backend.floats(maskToken),
      mask: backend.floats(mask),
      output: values,
    })
    return info
  },
)

export const maskTokensGrad: BackendKernel = kernel<Record<'dy' | 'mask', TensorInfo>, Backward>(
  'VitralMaskTokensGrad',
  (backend, { dy, mask }, attrs) => {
    const [batch, patches, hiddenSize] = dy.shape as [number, number, number]
    const gradients = new Gradients(backend, attrs)
    backend.kernels.maskTokensGrad({
      batch,
      patches,
      hiddenSize,
      dy: backend.floats(dy),
      mask: backend.floats(mask),
      dPatchEmbeddings: gradients.floats('patches', dy.shape),
      dMaskToken: gradients.floats('maskToken', [1, 1, hiddenSize]),
    })
    return gradients.all()
  },
)
