/** Masked patches replaced by the mask token. B·N rows of C. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, rowsOf, sizeOf } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { sumOfLanes } from '../wgsl.ts'

const forward = program({
  name: 'maskTokens',
  bindings: { patches: 'f32', maskToken: 'f32', mask: 'f32', output: 'f32' },
  constants: { size: 'u32', columns: 'u32' },
  body: `
  let i = group * LANES + lane;
  if (i >= constants.size) { return; }
  let masked = mask[i / constants.columns];
  output[i] = patches[i] * (1.0 - masked) + maskToken[i % constants.columns] * masked;`,
})

export const maskTokens: WebgpuKernel = kernel<Record<'patches' | 'maskToken' | 'mask', TensorInfo>, object>(
  'VitralMaskTokens',
  (backend, { patches, maskToken, mask }) => {
    const size = sizeOf(patches)
    const { info, range } = backend.output(patches.shape)
    const ranges = {
      patches: backend.range(patches),
      maskToken: backend.range(maskToken),
      mask: backend.range(mask),
      output: range,
    }
    backend.dispatch(forward, ranges, { size, columns: sizeOf(maskToken) }, Math.ceil(size / DEFAULT_LANES))
    return info
  },
)

const ofPatches = program({
  name: 'maskTokensGradPatches',
  bindings: { dy: 'f32', mask: 'f32', dPatches: 'f32' },
  constants: { size: 'u32', columns: 'u32' },
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) { dPatches[i] = dy[i] * (1.0 - mask[i / constants.columns]); }`,
})

// A workgroup sums one column.
const ofMaskToken = program({
  name: 'maskTokensGradMaskToken',
  bindings: { dy: 'f32', mask: 'f32', dMaskToken: 'f32' },
  constants: { rows: 'u32', columns: 'u32' },
  declarations: sumOfLanes(DEFAULT_LANES),
  body: `
  if (group >= constants.columns) { return; }
  var sum = 0.0;
  for (var row = lane; row < constants.rows; row += LANES) { sum += dy[row * constants.columns + group] * mask[row]; }
  let total = sumOfLanes(sum, lane);
  if (lane == 0u) { dMaskToken[group] = total; }`,
})

export const maskTokensGrad: WebgpuKernel = kernel<Record<'dy' | 'mask', TensorInfo>, Backward>(
  'VitralMaskTokensGrad',
  (backend, { dy, mask }, attrs) => {
    const [size, rows, columns] = [sizeOf(dy), rowsOf(dy), dy.shape[2] as number]
    const gradients = new Gradients(backend, attrs)
    const inputs = { dy: backend.range(dy), mask: backend.range(mask) }
    const dPatches = gradients.range('patches', dy.shape)
    const dMaskToken = gradients.range('maskToken', [1, 1, columns])
    if (dPatches)
      backend.dispatch(ofPatches, { ...inputs, dPatches }, { size, columns }, Math.ceil(size / DEFAULT_LANES))
    if (dMaskToken) backend.dispatch(ofMaskToken, { ...inputs, dMaskToken }, { rows, columns }, columns)
    return gradients.all()
  },
)
