import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, type Backward, type Forward, Gradients, kernel, rowsOf } from '../kernel.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

export const layerNorm: KernelConfig = kernel<
  Record<'x' | 'weight' | 'bias', TensorInfo>,
  OutputDtypeAttribute & Forward & Autocast & { eps: number }
>('VitralLayerNorm', (backend, { x, weight, bias }, attrs) => {
  const { eps, training } = attrs
  const rows = rowsOf(x)
  const hiddenSize = weight.shape[0] as number
  const output = allocateOutput(backend, x.shape, attrs)
  const [mean, rstd] = training ? [backend.allocate([rows]), backend.allocate([rows])] : []
  backend.addon.layerNorm(
    rows,
    hiddenSize,
    backend.floats(x),
    backend.floats(weight),
    backend.floats(bias),
    eps,
    output.values,
    mean?.values ?? null,
    rstd?.values ?? null,
  )
  return [output, mean, rstd].flatMap(made => made?.info ?? [])
})

export const layerNormGrad: KernelConfig = kernel<
  Record<'dy' | 'x' | 'weight' | 'mean' | 'rstd', TensorInfo>,
  Backward
>('VitralLayerNormGrad', (backend, { dy, x, weight, mean, rstd }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  backend.addon.layerNormGrad(
    rowsOf(x),
    weight.shape[0] as number,
    backend.floats(dy),
    backend.floats(x),
    backend.floats(weight),
    backend.floats(mean),
    backend.floats(rstd),
    gradients.floats('x', x.shape),
    gradients.floats('weight', weight.shape),
    gradients.floats('bias', weight.shape),
  )
  return gradients.all()
})
