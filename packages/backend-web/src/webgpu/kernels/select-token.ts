/** One token of each image. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'

interface Attributes {
  index: number
  tokens: number
}

const constants = { size: 'u32', tokens: 'u32', columns: 'u32', index: 'u32' } as const

const forward = program({
  name: 'selectToken',
  bindings: { x: 'f32', output: 'f32' },
  constants,
  body: `
  let i = group * LANES + lane;
  if (i >= constants.size) { return; }
  let columns = constants.columns;
  output[i] = x[(i / columns * constants.tokens + constants.index) * columns + i % columns];`,
})

export const selectToken: WebgpuKernel<{ x: TensorInfo }, Attributes> = kernel(
  'VitralSelectToken',
  (backend, { x }, { index }) => {
    const [batch, tokens, columns] = x.shape as [number, number, number]
    if (tokens === 1) return { ...backend.share(x), shape: [batch, columns] }
    const { info, range } = backend.output([batch, columns])
    const size = batch * columns
    const ranges = { x: backend.range(x), output: range }
    backend.dispatch(forward, ranges, { size, tokens, columns, index }, Math.ceil(size / DEFAULT_LANES))
    return info
  },
)

const backward = program({
  name: 'selectTokenGrad',
  bindings: { dy: 'f32', dx: 'f32' },
  constants,
  body: `
  let i = group * LANES + lane;
  if (i >= constants.size) { return; }
  let columns = constants.columns;
  let row = i / columns;
  dx[i] = select(0.0, dy[row / constants.tokens * columns + i % columns], row % constants.tokens == constants.index);`,
})

export const selectTokenGrad: WebgpuKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralSelectTokenGrad',
  (backend, { dy }, attrs) => {
    const { index, tokens } = attrs
    const [batch, columns] = dy.shape as [number, number]
    if (tokens === 1) return attrs.wanted.map(() => ({ ...backend.share(dy), shape: [batch, 1, columns] }))
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.range('x', [batch, tokens, columns])
    const size = batch * tokens * columns
    const ranges = { dy: backend.range(dy), dx }
    if (dx) backend.dispatch(backward, ranges, { size, tokens, columns, index }, Math.ceil(size / DEFAULT_LANES))
    return gradients.all()
  },
)
