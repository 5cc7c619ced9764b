/** Inverted dropout; its gradient drops the same elements, so that one program is both. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, sizeOf } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { keepConstants, keepFunctions } from '../wgsl.ts'

interface Attributes {
  probability: number
  seed: number
}

const dropped = program({
  name: 'dropout',
  bindings: { x: 'f32', output: 'f32' },
  constants: { size: 'u32', seed: 'u32', threshold: 'u32', kept: 'f32' },
  declarations: keepFunctions,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) {
    output[i] = x[i] * keepMultiplier(constants.seed, i, constants.threshold, constants.kept);
  }`,
})

function drop(backend: WebgpuBackend, x: TensorInfo, { probability, seed }: Attributes): TensorInfo {
  const size = sizeOf(x)
  const { info, range } = backend.output(x.shape)
  const constants = { size, seed, ...keepConstants(probability) }
  backend.dispatch(dropped, { x: backend.range(x), output: range }, constants, Math.ceil(size / DEFAULT_LANES))
  return info
}

export const dropout: WebgpuKernel = kernel<{ x: TensorInfo }, Attributes>('VitralDropout', (backend, { x }, attrs) =>
  drop(backend, x, attrs),
)

export const dropoutGrad: WebgpuKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralDropoutGrad',
  (backend, { dy }, attrs) => attrs.wanted.map(() => drop(backend, dy, attrs)),
)
