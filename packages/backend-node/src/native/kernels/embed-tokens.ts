import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, Gradients, kernel } from '../kernel.ts'

type Shape3 = [number, number, number]

export const embedTokens: KernelConfig = kernel<
  Record<'patches' | 'clsToken' | 'positionEmbeddings', TensorInfo>,
  object
>('VitralEmbedTokens', (backend, { patches, clsToken, positionEmbeddings }) => {
  const [batch, tokens, hiddenSize] = patches.shape as Shape3
  const { info, values } = backend.allocate([batch, 1 + tokens, hiddenSize])
  const [x, cls, positions] = [patches, clsToken, positionEmbeddings].map(input => backend.floats(input))
  backend.addon.embedTokens(
    batch,
    tokens,
    hiddenSize,
    x as Float32Array,
    cls as Float32Array,
    positions as Float32Array,
    values,
  )
  return info
})

export const embedTokensGrad: KernelConfig = kernel<{ dy: TensorInfo }, Backward>(
  'VitralEmbedTokensGrad',
  (backend, { dy }, attrs) => {
    const [batch, positions, hiddenSize] = dy.shape as Shape3
    const gradients = new Gradients(backend, attrs)
    backend.addon.embedTokensGrad(
      batch,
      positions - 1,
      hiddenSize,
      backend.floats(dy),
      gradients.floats('patches', [batch, positions - 1, hiddenSize]),
      gradients.floats('clsToken', [1, 1, hiddenSize]),
      gradients.floats('positionEmbeddings', [1, positions, hiddenSize]),
    )
    return gradients.all()
  },
)

export const maskTokens: KernelConfig = kernel<Record<'patches' | 'maskToken' | 'mask', TensorInfo>, object>(
  'VitralMaskTokens',
  (backend, { patches, maskToken, mask }) => {
    const { info, values } = backend.allocate(patches.shape)
    const shape = patches.shape as Shape3
    backend.addon.maskTokens(...shape, backend.floats(patches), backend.floats(maskToken), backend.floats(mask), values)
    return info
  },
)

export const maskTokensGrad: KernelConfig = kernel<Record<'dy' | 'mask', TensorInfo>, Backward>(
  'VitralMaskTokensGrad',
  (backend, { dy, mask }, attrs) => {
    const shape = dy.shape as Shape3
    const gradients = new Gradients(backend, attrs)
    backend.addon.maskTokensGrad(
      ...shape,
      backend.floats(dy),
      backend.floats(mask),
      gradients.floats('patches', shape),
      gradients.floats('maskToken', [1, 1, shape[2]]),
    )
    return gradients.all()
  },
)
