/** Linear layers. M rows; In inputs, Out outputs. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import { type Backward, rowsOf, sizeOf } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, type Program, program } from '../program.ts'
import { geluFunctions, packHalves } from '../wgsl.ts'
import { columnSums } from './column-sums.ts'
import { type DropAttributes, dropConstants, dropRows, hasDrops } from './drops.ts'
import { inHalf, type Precision, writesHalf } from './half.ts'
import { matrix, type Stored, weightMatrix } from './product/matrix.ts'
import { reader } from './product/operand.ts'
import { multiply } from './product/product.ts'

interface Attributes extends DropAttributes, Partial<OutputDtypeAttribute>, Precision {
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
  const [half, factorsHalf] = [writesHalf(attrs, Out), inHalf(attrs)]
  const output = backend.output(shape, { half })
  const active = attrs.gelu === 'beside' ? backend.output(shape, { half }) : undefined
  multiply(backend, {
    a: {
      matrix: matrix(backend, activated(backend, x, attrs), { rows, columns: In, half: factorsHalf }),
      along: 'inner',
    },
    b: { matrix: weightMatrix(backend, weight, { rows: Out, columns: In, half: factorsHalf }), along: 'inner' },
    ...{ rows, columns: Out, inner: In, output: output.range, half },
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
        b: { matrix: weightMatrix(backend, weight, { rows: Out, columns: In, half: inHalf(attrs) }), along: 'outer' },
        ...{ rows, columns: In, inner: Out, output: dx },
        ...(attrs.inputActivation === 'gelu' && { geluGradientOf: backend.stored(x) }),
      })
    if (dWeight)
      multiply(backend, {
        a: { matrix: dBranch, along: 'outer' },
        b: {
          matrix: matrix(backend, activated(backend, x, attrs), { rows, columns: In, half: inHalf(attrs) }),
          along: 'outer',
        },
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
function activated(backend: WebgpuBackend, x: TensorInfo, attrs: Attributes): Stored {
  const stored = backend.stored(x)
  if (attrs.inputActivation === 'none') return stored
  const size = sizeOf(x)
  const half = inHalf(attrs) && size % 4 === 0
  const output = backend.scratch((half ? 2 : 4) * size)
  const program = activations[`${stored.half},${half}`] as Activation
  backend.dispatch(program, { x: stored.range, output }, { size }, Math.ceil(size / (4 * DEFAULT_LANES)))
  return { range: output, half }
}

type Activation = Program<'x' | 'output', 'size'>

const activation = (fromHalf: boolean, toHalf: boolean): Activation =>
  program({
    name: `activate${fromHalf ? ' halves' : ''}${toHalf ? ' to halves' : ''}`,
    bindings: { x: fromHalf ? 'u32' : 'f32', output: toHalf ? 'vec2<u32>' : 'f32' },
    constants: { size: 'u32' },
    declarations: `${geluFunctions}\n${reader('x', false, fromHalf)}\n${toHalf ? packHalves : ''}`,
    body: `
  let first = (group * LANES + lane) * 4u;
  if (first >= constants.size) { return; }
  let given = xFour(first);
  let y = vec4f(gelu(given.x), gelu(given.y), gelu(given.z), gelu(given.w));
  ${
    toHalf
      ? 'output[first / 4u] = packHalves(y);'
      : 'for (var e = 0u; e < min(4u, constants.size - first); e++) { output[first + e] = y[e]; }'
  }`,
  })

/** The programs, by whether the input has two bytes an element, and whether the result has. */
const activations: Record<string, Activation> = {
  'false,false': activation(false, false),
  'false,true': activation(false, true),
  'true,false': activation(true, false),
  'true,true': activation(true, true),
}
