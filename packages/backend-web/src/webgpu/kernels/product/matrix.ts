/** Matrices on the device whose rows start at multiples of four elements, so that products read vectors. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { WebgpuBackend } from '../../backend.ts'
import type { Range } from '../../memory.ts'
import { type Program, program } from '../../program.ts'
import { packHalves } from '../../wgsl.ts'

/** A matrix, or a stack of three alike. */
export interface Matrix {
  ranges: readonly Range[]
  /** Whether an element has two bytes. */
  half: boolean
  /** Elements from one row to the next. */
  stride: number
  /** Elements from one part to the next, in a row. @default 0 */
  partStep?: number
}

/** Where a tensor's values lie, and whether in two bytes each. */
export interface Stored {
  range: Range
  half: boolean
}

/** Sizes of a matrix, and whether its elements are wanted in two bytes. */
export interface MatrixOptions {
  rows: number
  columns: number
  /** @default false */
  half?: boolean
}

/** Elements of a row that starts at a multiple of four. */
export const paddedTo4 = (columns: number): number => Math.ceil(columns / 4) * 4

const LANES = 64

type CopyRows = Program<'source' | 'copy', 'vectors' | 'columns' | 'stride'>

const copyRows = (fromHalf: boolean, toHalf: boolean): CopyRows =>
  program({
    name: `copyRows${fromHalf ? ' of halves' : ''}${toHalf ? ' to halves' : ''}`,
    bindings: { source: fromHalf ? 'u32' : 'f32', copy: toHalf ? 'vec2<u32>' : 'vec4<f32>' },
    constants: { vectors: 'u32', columns: 'u32', stride: 'u32' },
    lanes: LANES,
    declarations: `
${toHalf ? packHalves : ''}
fn sourceAt(at: u32) -> f32 { return ${fromHalf ? 'unpack2x16float(source[at >> 1u])[at & 1u]' : 'source[at]'}; }`,
    body: `
  let i = group * LANES + lane;
  if (i >= constants.vectors) { return; }
  let row = 4u * i / constants.stride;
  let column = 4u * i % constants.stride;
  var values = vec4f();
  for (var e = 0u; e < min(4u, constants.columns - column); e++) {
    values[e] = sourceAt(row * constants.columns + column + e);
  }
  copy[i] = ${toHalf ? 'packHalves(values)' : 'values'};`,
  })

/** The programs, by whether the source has two bytes an element, and whether the copy has. */
const copies: Record<string, CopyRows> = {
  'false,false': copyRows(false, false),
  'false,true': copyRows(false, true),
  'true,false': copyRows(true, false),
  'true,true': copyRows(true, true),
}

/** A matrix as it is, or as a copy whose rows are filled up with zeros, in two bytes an element if that is wanted. */
export function matrix(backend: WebgpuBackend, stored: Stored, options: MatrixOptions): Matrix {
  const { rows, columns, half = false } = options
  const stride = paddedTo4(columns)
  if (stride === columns && (stored.half || !half)) return { ranges: [stored.range], half: stored.half, stride }
  const copy = backend.scratch((half ? 2 : 4) * rows * stride)
  writeCopy(backend, stored, copy, options)
  return { ranges: [copy], half, stride }
}

/** The same of a weight, whose copy in half the bytes is kept until the weight changes. */
export function weightMatrix(backend: WebgpuBackend, weight: TensorInfo, options: MatrixOptions): Matrix {
  const stored = { range: backend.range(weight), half: false }
  if (!options.half) return matrix(backend, stored, options)
  const stride = paddedTo4(options.columns)
  const copy = backend.halved(weight, 2 * options.rows * stride, to => writeCopy(backend, stored, to, options))
  return { ranges: [copy], half: true, stride }
}

function writeCopy(
  backend: WebgpuBackend,
  { range, half: fromHalf }: Stored,
  copy: Range,
  { rows, columns, half = false }: MatrixOptions,
): void {
  const stride = paddedTo4(columns)
  const vectors = (rows * stride) / 4
  const program = copies[`${fromHalf},${half}`] as CopyRows
  backend.dispatch(program, { source: range, copy }, { vectors, columns, stride }, Math.ceil(vectors / LANES))
}

/** Matrices that are alike, as a stack. */
export function stacked(matrices: readonly Matrix[]): Matrix {
  const [{ half, stride }] = matrices as [Matrix]
  return { ranges: matrices.flatMap(({ ranges }) => ranges), half, stride }
}

const unpad = program({
  name: 'unpadRows',
  bindings: { padded: 'f32', unpadded: 'f32' },
  constants: { size: 'u32', columns: 'u32', stride: 'u32' },
  lanes: LANES,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) {
    unpadded[i] = padded[(i / constants.columns) * constants.stride + i % constants.columns];
  }`,
})

/**
 * Memory for a result whose rows start at multiples of four elements, and what brings it to where it is wanted, which is called
 * after the dispatch that writes it.
 */
export function paddedOutput(
  backend: WebgpuBackend,
  output: Range,
  { rows, columns }: Pick<MatrixOptions, 'rows' | 'columns'>,
): { range: Range; finish: () => void } {
  const stride = paddedTo4(columns)
  if (stride === columns) return { range: output, finish: () => {} }
  const padded = backend.scratch(4 * rows * stride)
  const size = rows * columns
  const finish = () =>
    backend.dispatch(unpad, { padded, unpadded: output }, { size, columns, stride }, Math.ceil(size / LANES))
  return { range: padded, finish }
}
