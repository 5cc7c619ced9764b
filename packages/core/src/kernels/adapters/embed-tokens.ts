import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

export const embedTokens: BackendKernel = kernel<
  Record<'patches' | 'clsToken' | 'positionEmbeddings', TensorInfo>,
  object
>('VitralEmbedTokens', (backend, { patches, clsToken, positionEmbeddings }) => {
  const [batch, count, hiddenSize] = patches.shape as [number, number, number]
  const { info, values } = backend.allocate([batch, 1 + count, hiddenSize])
  backend.kernels.embedTokens({
    batch,
    patches: count,
    hiddenSize,
    patchEmbeddings: backend.floats(patches),
    clsToken: backend.floats(clsToken),
    positionEmbeddings: backend.floats(positionEmbeddings),
    output: values,
  })
  return info
})

export const embedTokensGrad: BackendKernel = kernel<{ dy: TensorInfo }, Backward>(
  'VitralEmbedTokensGrad',
  (backend, { dy }, attrs) => {
    const [batch, tokens, hiddenSize] = dy.shape as [number, number, number]
    const gradients = new Gradients(backend, attrs)
    backend.kernels.embedTokensGrad({
      batch,
      patches: tokens - 1,
      hiddenSize,
      dy: backend.floats(dy),
      dPatchEmbeddings: gradients.floats('patches', [batch, tokens - 1, hiddenSize]),
      dClsToken: gradients.floats('clsToken', [1, 1, hiddenSize]),
      dPositionEmbeddings: gradients.floats('positionEmbeddings', [1, tokens, hiddenSize]),
    })
    return gradients.all()
  },
)
