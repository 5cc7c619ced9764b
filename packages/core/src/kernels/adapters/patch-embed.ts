import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Autocast, Backward } from '../arguments.ts'
import type { PatchShape } from '../calls.ts'
import { type BackendKernel, Gradients, kernel, withoutInt8 } from '../kernel.ts'

interface Inputs {
  pixelValues: TensorInfo
  weight: TensorInfo
}

function patchShape({ pixelValues, weight }: Inputs): PatchShape {
  const [batch, channels, height, width] = pixelValues.shape as [number, number, number, number]
  const [hiddenSize, , patchHeight, patchWidth] = weight.shape as [number, number, number, number]
  return { batch, channels, height, width, patchHeight, patchWidth, hiddenSize }
}

export const patchEmbed: BackendKernel = kernel<Inputs & { bias: TensorInfo }, Autocast>(
  'VitralPatchEmbed',
  (backend, inputs, attrs) => {
    const shape = patchShape(inputs)
    const { batch, height, width, patchHeight, patchWidth, hiddenSize } = shape
    const { info, values } = backend.allocate([batch, (height / patchHeight) * (width / patchWidth), hiddenSize])
    const { pixelValues, weight, bias } = inputs
    backend.kernels.patchEmbed({
      ...shape,
      dtype: withoutInt8(attrs),
      pixelValues: backend.floats(pixelValues),
      weight: backend.floats(weight),
      bias: backend.floats(bias),
      output: values,
    })
    return info
  },
)

export const patchEmbedGrad: BackendKernel = kernel<Inputs & { dy: TensorInfo }, Backward & Autocast>(
  'VitralPatchEmbedGrad',
  (backend, { dy, pixelValues, weight }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    backend.kernels.patchEmbedGrad({
      ...patchShape({ pixelValues, weight }),
      dtype: withoutInt8(attrs),
      dy: backend.floats(dy),
      pixelValues: backend.floats(pixelValues),
      weight: backend.floats(weight),
      dPixelValues: gradients.floats('pixelValues', pixelValues.shape),
      dWeight: gradients.floats('weight', weight.shape),
      dBias: gradients.floats('bias', [weight.shape[0] as number]),
    })
    return gradients.all()
  },
)
