/** The exact GELU, by elements. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, sizeOf } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { geluFunctions } from '../wgsl.ts'

const forward = program({
  name: 'gelu',
  bindings: { x: 'f32', output: 'f32' },
  constants: { size: 'u32' },
  declarations: geluFunctions,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) { output[i] = gelu(x[i]); }`,
})

export const gelu: WebgpuKernel = kernel<{ x: TensorInfo }, object>('VitralGelu', (backend, { x }) => {
  const size = sizeOf(x)
  const { info, range } = backend.output(x.shape)
  backend.dispatch(forward, { x: backend.range(x), output: range }, { size }, Math.ceil(size / DEFAULT_LANES))
  return info
})

const backward = program({
  name: 'geluGrad',
  bindings: { dy: 'f32', x: 'f32', dx: 'f32' },
  constants: { size: 'u32' },
  declarations: geluFunctions,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) { dx[i] = dy[i] * geluGradient(x[i]); }`,
})

export const geluGrad: WebgpuKernel = kernel<Record<'dy' | 'x', TensorInfo>, Backward>(
  'VitralGeluGrad',
  (backend, { dy, x }, attrs) => {
    const size = sizeOf(x)
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.range('x', x.shape)
    const ranges = { dy: backend.range(dy), x: backend.range(x), dx }
    if (dx) backend.dispatch(backward, ranges, { size }, Math.ceil(size / DEFAULT_LANES))
    return gradients.all()
  },
)
