/** Matrices on the device whose rows start at multiples of four elements, so that products read vectors. */
import type { WebgpuBackend } from '../../backend.ts'
import type { Range } from '../../memory.ts'
import { program } from '../../program.ts'

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

/** Elements of a row that starts at a multiple of four. */
export const paddedTo4 = (columns: number): number => Math.ceil(columns / 4) * 4

const pad = (half: boolean) =>
  program({
    name: half ? 'padHalfRows' : 'padRows',
    bindings: { source: half ? 'u32' : 'f32', padded: 'f32' },
    constants: { size: 'u32', columns: 'u32', stride: 'u32' },
    body: `
  let i = group * LANES + lane;
  if (i >= constants.size) { return; }
  let column = i % constants.stride;
  let at = (i / constants.stride) * constants.columns + min(column, constants.columns - 1u);
  let value = ${half ? 'unpack2x16float(source[at >> 1u])[at & 1u]' : 'source[at]'};
  padded[i] = select(0.0, value, column < constants.columns);`,
  })

const padRows = pad(false)
const padHalfRows = pad(true)

const unpad = program({
  name: 'unpadRows',
  bindings: { padded: 'f32', unpadded: 'f32' },
  constants: { size: 'u32', columns: 'u32', stride: 'u32' },
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
  { rows, columns }: { rows: number; columns: number },
): { range: Range; finish: () => void } {
  const stride = paddedTo4(columns)
  if (stride === columns) return { range: output, finish: () => {} }
  const padded = backend.scratch(4 * rows * stride)
  const size = rows * columns
  const finish = () =>
    backend.dispatch(unpad, { padded, unpadded: output }, { size, columns, stride }, Math.ceil(size / 64))
  return { range: padded, finish }
}

/** Where a tensor's values lie, and whether in two bytes each. */
export interface Stored {
  range: Range
  half: boolean
}

/** A matrix of a size, as it is or as a copy whose rows are filled up with zeros. */
export function matrix(
  backend: WebgpuBackend,
  { range, half }: Stored,
  { rows, columns }: { rows: number; columns: number },
): Matrix {
  const stride = paddedTo4(columns)
  if (stride === columns) return { ranges: [range], half, stride }
  const size = rows * stride
  const padded = backend.scratch(4 * size)
  const program = half ? padHalfRows : padRows
  backend.dispatch(program, { source: range, padded }, { size, columns, stride }, Math.ceil(size / 64))
  return { ranges: [padded], half: false, stride }
}

/** Matrices that are alike, as a stack. */
export function stacked(matrices: readonly Matrix[]): Matrix {
  const [{ half, stride }] = matrices as [Matrix]
  return { ranges: matrices.flatMap(({ ranges }) => ranges), half, stride }
}
