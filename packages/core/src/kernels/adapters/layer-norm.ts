import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, type Backward, type Forward, rowsOf } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

export const layerNorm: BackendKernel = kernel<
  Record<'x' | 'weight' | 'bias', TensorInfo>,
  OutputDtypeAttribute & Forward & Autocast & { eps: number }
>('VitralLayerNorm', (backend, { x, weight, bias }, attrs) => {
  const { eps, training } = attrs
  const rows = rowsOf(x)
  const hiddenSize = weight.shape[0] as number
  const output = allocateOutput(backend, x.shape, attrs)
  const [mean, rstd] = training ? [backend.allocate([rows]), backend.allocate([rows])] : []
  backend.kernels.layerNorm({
    rows,
    hiddenSize,
    x: backend.floats(x),
    weight: backend.floats(weight),
    bias: backend.floats(bias),
    eps,
    output: output.values,
    mean: mean?.values ?? null,
    rstd: rstd?.values ?? null,
  })
  return [output, mean, rstd].flatMap(made => made?.info ?? [])
})

export const layerNormGrad: BackendKernel = kernel<
  Record<'dy' | 'x' | 'weight' | 'mean' | 'rstd', TensorInfo>,
  Backward
>('VitralLayerNormGrad', (backend, { dy, x, weight, mean, rstd }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  backend.kernels.layerNormGrad({
    rows: rowsOf(x),
    hiddenSize: weight.shape[0] as number,
    dy: backend.floats(dy),
    x: backend.floats(x),
    weight: backend.floats(weight),
    mean: backend.floats(mean),
    rstd: backend.floats(rstd),
    dx: gradients.floats('x', x.shape),
    dWeight: gradients.floats('weight', weight.shape),
    dBias: gradients.floats('bias', weight.shape),
  })
  return gradients.all()
})
