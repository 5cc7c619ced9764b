/** Layer normalisation of the last axis. M rows of C. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import { type Backward, type Forward, rowsOf, sizeOf } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { rowProgram } from '../row-program.ts'
import { packHalves } from '../wgsl.ts'
import { type Precision, writesHalf } from './half.ts'

// Sums are of distances from the row's first element, and the variance is of centred values: where a row is far from 0, sums of
// it would lose what its elements differ by.
const forwardTo = (half: boolean) =>
  rowProgram({
    name: half ? 'layerNorm to halves' : 'layerNorm',
    bindings: { x: 'f32', weight: 'f32', bias: 'f32', output: half ? 'vec2<u32>' : 'f32', mean: 'f32', rstd: 'f32' },
    constants: { rows: 'u32', columns: 'u32', eps: 'f32', training: 'u32' },
    declarations: half ? packHalves : '',
    body: `
  if (group >= constants.rows) { return; }
  let columns = constants.columns;
  let first = group * columns;
  let origin = x[first];
  var sum = 0.0;
  for (var c = lane; c < columns; c += LANES) { sum += x[first + c] - origin; }
  let average = sumOfLanes(sum, lane) / f32(columns);
  var squares = 0.0;
  for (var c = lane; c < columns; c += LANES) {
    let centred = x[first + c] - origin - average;
    squares += centred * centred;
  }
  let scale = inverseSqrt(sumOfLanes(squares, lane) / f32(columns) + constants.eps);
  ${
    half
      ? `for (var c = 4u * lane; c < columns; c += 4u * LANES) {
    var values: vec4f;
    for (var e = 0u; e < 4u; e++) {
      values[e] = (x[first + c + e] - origin - average) * scale * weight[c + e] + bias[c + e];
    }
    output[(first + c) / 4u] = packHalves(values);
  }`
      : `for (var c = lane; c < columns; c += LANES) {
    output[first + c] = (x[first + c] - origin - average) * scale * weight[c] + bias[c];
  }`
  }
  if (constants.training != 0u && lane == 0u) {
    mean[group] = origin + average;
    rstd[group] = scale;
  }`,
  })

const forward = forwardTo(false)
const forwardToHalves = forwardTo(true)

export const layerNorm: WebgpuKernel<
  Record<'x' | 'weight' | 'bias', TensorInfo>,
  OutputDtypeAttribute & Forward & Precision & { eps: number }
> = kernel('VitralLayerNorm', (backend, { x, weight, bias }, attrs) => {
  const { eps, training } = attrs
  const rows = rowsOf(x)
  const columns = sizeOf(weight)
  const half = writesHalf(attrs, columns)
  const output = backend.output(x.shape, { half })
  const [mean, rstd] = training ? [backend.output([rows]), backend.output([rows])] : []
  backend.dispatch(
    (half ? forwardToHalves : forward)(backend.device),
    {
      x: backend.range(x),
      weight: backend.range(weight),
      bias: backend.range(bias),
      output: output.range,
      mean: mean?.range,
      rstd: rstd?.range,
    },
    { rows, columns, eps, training: Number(training) },
    rows,
  )
  return [output, mean, rstd].flatMap(made => made?.info ?? [])
})

// Each workgroup takes a block of rows, and sums their share of the gradients of weight and bias, each lane in columns of its
// own; a second dispatch adds the shares of all blocks, in their order.
const backward = rowProgram({
  name: 'layerNormGrad',
  bindings: {
    dy: 'f32',
    x: 'f32',
    weight: 'f32',
    mean: 'f32',
    rstd: 'f32',
    residualGradient: 'f32',
    dx: 'f32',
    shares: 'f32',
  },
  constants: {
    rows: 'u32',
    columns: 'u32',
    blockRows: 'u32',
    blocks: 'u32',
    wantsX: 'u32',
    wantsShares: 'u32',
    hasResidual: 'u32',
  },
  body: `
  if (group >= constants.blocks) { return; }
  let columns = constants.columns;
  let share = group * 2 * columns;
  let end = min((group + 1) * constants.blockRows, constants.rows);
  if (constants.wantsShares != 0u) {
    for (var c = lane; c < columns; c += LANES) {
      shares[share + c] = 0.0;
      shares[share + columns + c] = 0.0;
    }
  }
  for (var row = group * constants.blockRows; row < end; row++) {
    let first = row * columns;
    let average = mean[row];
    let scale = rstd[row];
    var sum = 0.0;
    var products = 0.0;
    for (var c = lane; c < columns; c += LANES) {
      let normalised = (x[first + c] - average) * scale;
      let up = dy[first + c];
      sum += up * weight[c];
      products += up * weight[c] * normalised;
      if (constants.wantsShares != 0u) {
        shares[share + c] += up * normalised;
        shares[share + columns + c] += up;
      }
    }
    if (constants.wantsX == 0u) { continue; }
    let meanSum = sumOfLanes(sum, lane) / f32(columns);
    let meanProduct = sumOfLanes(products, lane) / f32(columns);
    for (var c = lane; c < columns; c += LANES) {
      let normalised = (x[first + c] - average) * scale;
      var gradient = (dy[first + c] * weight[c] - meanSum - normalised * meanProduct) * scale;
      if (constants.hasResidual != 0u) { gradient += residualGradient[first + c]; }
      dx[first + c] = gradient;
    }
  }`,
})

const addShares = program({
  name: 'layerNormGradShares',
  bindings: { shares: 'f32', dWeight: 'f32', dBias: 'f32' },
  constants: { columns: 'u32', blocks: 'u32', wantsWeight: 'u32', wantsBias: 'u32' },
  body: `
  let c = group * LANES + lane;
  if (c >= 2 * constants.columns) { return; }
  var sum = 0.0;
  for (var block = 0u; block < constants.blocks; block++) { sum += shares[block * 2 * constants.columns + c]; }
  if (c < constants.columns) {
    if (constants.wantsWeight != 0u) { dWeight[c] = sum; }
  } else if (constants.wantsBias != 0u) {
    dBias[c - constants.columns] = sum;
  }`,
})

/** Enough to fill a GPU, few enough that their shares are small beside x. */
const MOST_BLOCKS = 512

/** Fewer would make the sum of the shares as long as the rest. */
const LEAST_BLOCK_ROWS = 16

/** What the gradient is computed of; a residual's gradient is added to that of x. */
interface GradInputs extends Record<'dy' | 'x' | 'weight' | 'mean' | 'rstd', TensorInfo> {
  residualGradient?: TensorInfo
}

export const layerNormGrad: WebgpuKernel<GradInputs, Backward> = kernel(
  'VitralLayerNormGrad',
  (backend, { dy, x, weight, mean, rstd, residualGradient }, attrs) => {
    const rows = rowsOf(x)
    const columns = sizeOf(weight)
    const blockRows = Math.max(LEAST_BLOCK_ROWS, Math.ceil(rows / MOST_BLOCKS))
    const blocks = Math.ceil(rows / blockRows)
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.range('x', x.shape)
    const dWeight = gradients.range('weight', weight.shape)
    const dBias = gradients.range('bias', weight.shape)
    const shares = dWeight || dBias ? backend.scratch(blocks * 2 * columns * 4) : undefined
    const inputs = {
      dy: backend.range(dy),
      x: backend.range(x),
      weight: backend.range(weight),
      mean: backend.range(mean),
      rstd: backend.range(rstd),
      residualGradient: residualGradient && backend.range(residualGradient),
    }
    const flags = {
      wantsX: Number(dx !== undefined),
      wantsShares: Number(shares !== undefined),
      hasResidual: Number(residualGradient !== undefined),
    }
    const numbers = { rows, columns, blockRows, blocks, ...flags }
    backend.dispatch(backward(backend.device), { ...inputs, dx, shares }, numbers, blocks)
    if (shares)
      backend.dispatch(
        addShares,
        { shares, dWeight, dBias },
        { columns, blocks, wantsWeight: Number(dWeight !== undefined), wantsBias: Number(dBias !== undefined) },
        Math.ceil((2 * columns) / DEFAULT_LANES),
      )
    return gradients.all()
  },
)
