/** Linear layers. M rows; In inputs, Out outputs. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import { type Backward, rowsOf, sizeOf } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { program } from '../program.ts'
import { geluFunctions } from '../wgsl.ts'
import { columnSums } from './column-sums.ts'
import { type DropAttributes, dropConstants, dropRows, hasDrops } from './drops.ts'
import { matrix, type Stored } from './product/matrix.ts'
import { reader } from './product/operand.ts'
import { multiply } from './product/product.ts'

interface Attributes extends DropAttributes, Partial<OutputDtypeAttribute> {
  inputActivation: 'none' | 'gelu'
}

/** What only kernels ask for that run this one. */
interface FusedAttributes {
  /** GELU of the result instead of it, or beside it as a second one. @default neither */
  gelu?: 'instead' | 'beside'
}

export const linear: WebgpuKernel<
  { x: TensorInfo; weight: TensorInfo; bias?: TensorInfo | undefined; residual?: TensorInfo },
  Attributes & FusedAttributes
> = kernel('VitralLinear', (backend, { x, weight, bias, residual }, attrs) => {
  const [Out, In] = weight.shape as [number, number]
  const rows = rowsOf(x)
  const shape = [...x.shape.slice(0, -1), Out]
  const output = backend.output(shape)
  const active = attrs.gelu === 'beside' ? backend.output(shape) : undefined
  multiply(backend, {
    a: { matrix: matrix(backend, activated(backend, x, attrs), { rows, columns: In }), along: 'inner' },
    b: { matrix: matrix(backend, backend.stored(weight), { rows: Out, columns: In }), along: 'inner' },
    ...{ rows, columns: Out, inner: In, output: output.range },
    ...(bias && { bias: backend.range(bias) }),
    ...(hasDrops(attrs) && { drops: dropConstants(attrs, x) }),
    ...(residual && { residual: backend.range(residual) }),
    ...(attrs.gelu === 'instead' && { gelu: true }),
    ...(active && { activated: active.range }),
  })
  return active ? [output.info, active.info] : output.info
})

/** The gradient of the residual is dy itself: shared, not copied. The product's see what was not dropped of it. */
export const linearGrad: WebgpuKernel<{ dy: TensorInfo; x: TensorInfo; weight: TensorInfo }, Attributes & Backward> =
  kernel('VitralLinearGrad', (backend, { dy, x, weight }, attrs) => {
    const [Out, In] = weight.shape as [number, number]
    const rows = rowsOf(x)
    const gradients = new Gradients(backend, attrs)
    if (gradients.wants('residual')) gradients.set('residual', backend.share(dy))
    const dx = gradients.range('x', x.shape)
    const dWeight = gradients.range('weight', weight.shape)
    const dBias = gradients.range('bias', [Out])
    if (!dx && !dWeight && !dBias) return gradients.all()

    const range = hasDrops(attrs) ? dropRows(backend, dy, attrs) : backend.range(dy)
    const dBranch = matrix(backend, { range, half: false }, { rows, columns: Out })
    if (dx)
      multiply(backend, {
        a: { matrix: dBranch, along: 'inner' },
        b: { matrix: matrix(backend, backend.stored(weight), { rows: Out, columns: In }), along: 'outer' },
        ...{ rows, columns: In, inner: Out, output: dx },
        ...(attrs.inputActivation === 'gelu' && { geluGradientOf: backend.stored(x) }),
      })
    if (dWeight)
      multiply(backend, {
        a: { matrix: dBranch, along: 'outer' },
        b: { matrix: matrix(backend, activated(backend, x, attrs), { rows, columns: In }), along: 'outer' },
        ...{ rows: Out, columns: In, inner: rows, output: dWeight },
        ...(dBias && { rowSums: dBias }),
      })
    else if (dBias) columnSums(backend, dBranch, { rows, columns: Out, output: dBias })
    return gradients.all()
  })

/**
 * The product's input. GELU's result is written once, for the time of the kernel: a product reads each element of its factor
 * for every 64 columns, which would be as many times the exponential.
 */
function activated(backend: WebgpuBackend, x: TensorInfo, { inputActivation }: Attributes): Stored {
  const stored = backend.stored(x)
  if (inputActivation === 'none') return stored
  const size = sizeOf(x)
  const output = backend.scratch(4 * size)
  const program = stored.half ? activateHalf : activate
  backend.dispatch(program, { x: stored.range, output }, { size }, Math.ceil(size / 256))
  return { range: output, half: false }
}

const activation = (half: boolean) =>
  program({
    name: half ? 'activateHalf' : 'activate',
    bindings: { x: half ? 'u32' : 'f32', output: 'f32' },
    constants: { size: 'u32' },
    declarations: `${geluFunctions}\n${reader('x', false, half)}`,
    body: `
  let first = (group * LANES + lane) * 4u;
  if (first >= constants.size) { return; }
  let y = xFour(first);
  for (var e = 0u; e < min(4u, constants.size - first); e++) { output[first + e] = gelu(y[e]); }`,
  })

const activate = activation(false)
const activateHalf = activation(true)
