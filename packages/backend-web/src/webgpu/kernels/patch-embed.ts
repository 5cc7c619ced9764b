/**
 * Patch embedding: a linear layer of patches, which are copied to the rows of a matrix first. The copy is read and written once,
 * the product reads it for every 64 hidden units.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '@vitral/core/kernels/arguments'
import { elementsOf } from '@vitral/core/sizes'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import type { Range } from '../memory.ts'
import { type Program, program } from '../program.ts'
import { packHalves } from '../wgsl.ts'
import { columnSums } from './column-sums.ts'
import { inHalf, type Precision } from './half.ts'
import { type Matrix, matrix, paddedTo4, weightMatrix } from './product/matrix.ts'
import { multiply } from './product/product.ts'

interface Inputs {
  pixelValues: TensorInfo
  weight: TensorInfo
}

/** Sizes of the images, of which nothing is left over beside the patches, and of the matrix of patches. */
function sizesOf({ pixelValues, weight }: Inputs) {
  const [batch, channels, height, width] = pixelValues.shape as [number, number, number, number]
  const [hiddenSize, , patchHeight, patchWidth] = weight.shape as [number, number, number, number]
  const [gridHeight, gridWidth] = [height / patchHeight, width / patchWidth]
  const columns = channels * patchHeight * patchWidth
  const image = { channels, height, width, patchHeight, patchWidth, gridHeight, gridWidth }
  return { batch, tokens: gridHeight * gridWidth, hiddenSize, columns, image }
}

const LANES = 64

const patchConstants = {
  size: 'u32',
  columns: 'u32',
  stride: 'u32',
  channels: 'u32',
  height: 'u32',
  width: 'u32',
  patchHeight: 'u32',
  patchWidth: 'u32',
  gridHeight: 'u32',
  gridWidth: 'u32',
} as const

/** Where in the images [B, c, h, w] the pixel is that a column of the matrix has of a patch. */
const pixelAt = `
fn pixelAt(patchNumber: u32, column: u32) -> u32 {
  let strip = patchNumber / constants.gridWidth;
  let image = strip / constants.gridHeight;
  let line = column / constants.patchWidth;
  let y = (strip % constants.gridHeight) * constants.patchHeight + line % constants.patchHeight;
  let x = (patchNumber % constants.gridWidth) * constants.patchWidth + column % constants.patchWidth;
  return ((image * constants.channels + line / constants.patchHeight) * constants.height + y) * constants.width + x;
}`

const toRows = (half: boolean): Program<'pixels' | 'rows', keyof typeof patchConstants> =>
  program({
    name: half ? 'patchesToHalfRows' : 'patchesToRows',
    bindings: { pixels: 'f32', rows: half ? 'vec2<u32>' : 'vec4<f32>' },
    constants: patchConstants,
    lanes: LANES,
    declarations: `${pixelAt}\n${half ? packHalves : ''}`,
    body: `
  let i = 4u * (group * LANES + lane);
  if (i >= constants.size) { return; }
  let column = i % constants.stride;
  var values = vec4f();
  for (var e = 0u; e < min(4u, constants.columns - column); e++) {
    values[e] = pixels[pixelAt(i / constants.stride, column + e)];
  }
  rows[i / 4u] = ${half ? 'packHalves(values)' : 'values'};`,
  })

const copyToRows = toRows(false)
const copyToHalfRows = toRows(true)

const copyToPixels = program({
  name: 'rowsToPatches',
  bindings: { rows: 'f32', pixels: 'f32' },
  constants: patchConstants,
  lanes: LANES,
  declarations: pixelAt,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) { pixels[pixelAt(i / constants.stride, i % constants.stride)] = rows[i]; }`,
})

/** [B·N, c·P·P'] */
function patchRows(backend: WebgpuBackend, inputs: Inputs, half: boolean): Matrix {
  const { batch, tokens, columns, image } = sizesOf(inputs)
  const stride = paddedTo4(columns)
  const size = batch * tokens * stride
  const rows = backend.scratch((half ? 2 : 4) * size)
  const ranges = { pixels: backend.range(inputs.pixelValues), rows }
  const program = half ? copyToHalfRows : copyToRows
  backend.dispatch(program, ranges, { size, columns, stride, ...image }, Math.ceil(size / 4 / LANES))
  return { ranges: [rows], half, stride }
}

/** [C, c·P·P'] */
function patchWeight(backend: WebgpuBackend, { weight }: Inputs, half: boolean): Matrix {
  const [rows, ...rest] = weight.shape as [number, ...number[]]
  return weightMatrix(backend, weight, { rows, columns: elementsOf(rest), half })
}

export const patchEmbed: WebgpuKernel = kernel<Inputs & { bias: TensorInfo }, Precision>(
  'VitralPatchEmbed',
  (backend, inputs, attrs) => {
    const { batch, tokens, hiddenSize, columns } = sizesOf(inputs)
    const half = inHalf(attrs)
    const output = backend.output([batch, tokens, hiddenSize])
    multiply(backend, {
      a: { matrix: patchRows(backend, inputs, half), along: 'inner' },
      b: { matrix: patchWeight(backend, inputs, half), along: 'inner' },
      ...{ rows: batch * tokens, columns: hiddenSize, inner: columns },
      ...{ bias: backend.range(inputs.bias), output: output.range },
    })
    return output.info
  },
)

export const patchEmbedGrad: WebgpuKernel = kernel<Inputs & { dy: TensorInfo }, Backward & Precision>(
  'VitralPatchEmbedGrad',
  (backend, { dy, ...inputs }, attrs) => {
    const { pixelValues, weight } = inputs
    const { batch, tokens, hiddenSize, columns } = sizesOf(inputs)
    const rows = batch * tokens
    const gradients = new Gradients(backend, attrs)
    const up = matrix(backend, { range: backend.range(dy), half: false }, { rows, columns: hiddenSize })
    const dPixels = gradients.range('pixelValues', pixelValues.shape)
    if (dPixels) pixelGradient(backend, inputs, { up, dPixels, half: inHalf(attrs) })
    const dWeight = gradients.range('weight', weight.shape)
    const dBias = gradients.range('bias', [hiddenSize])
    if (dWeight)
      multiply(backend, {
        a: { matrix: up, along: 'outer' },
        b: { matrix: patchRows(backend, inputs, inHalf(attrs)), along: 'outer' },
        ...{ rows: hiddenSize, columns, inner: rows, output: dWeight },
        ...(dBias && { rowSums: dBias }),
      })
    else if (dBias) columnSums(backend, up, { rows, columns: hiddenSize, output: dBias })
    return gradients.all()
  },
)

function pixelGradient(
  backend: WebgpuBackend,
  inputs: Inputs,
  { up, dPixels, half }: { up: Matrix; dPixels: Range; half: boolean },
): void {
  const { batch, tokens, hiddenSize, columns, image } = sizesOf(inputs)
  const size = batch * tokens * columns
  const rows = backend.scratch(4 * size)
  multiply(backend, {
    a: { matrix: up, along: 'inner' },
    b: { matrix: patchWeight(backend, inputs, half), along: 'outer' },
    ...{ rows: batch * tokens, columns, inner: hiddenSize, output: rows },
  })
  const constants = { size, columns, stride: columns, ...image }
  backend.dispatch(copyToPixels, { rows, pixels: dPixels }, constants, Math.ceil(size / LANES))
}
