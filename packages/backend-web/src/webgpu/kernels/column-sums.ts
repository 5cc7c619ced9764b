/** Sums of a matrix's columns: the gradient of a bias whose weight has none. */
import type { WebgpuBackend } from '../backend.ts'
import type { Range } from '../memory.ts'
import { program } from '../program.ts'
import type { Matrix } from './product/matrix.ts'

const sum = program({
  name: 'columnSums',
  bindings: { x: 'f32', output: 'f32' },
  constants: { rows: 'u32', columns: 'u32', stride: 'u32', start: 'u32' },
  body: `
  let column = group * LANES + lane;
  if (column >= constants.columns) { return; }
  var sum = 0.0;
  for (var row = 0u; row < constants.rows; row++) { sum += x[row * constants.stride + constants.start + column]; }
  output[column] = sum;`,
})

/** Sums the columns of one part of a matrix. */
export function columnSums(
  backend: WebgpuBackend,
  { ranges: [x], stride, partStep = 0 }: Matrix,
  { rows, columns, output, part = 0 }: { rows: number; columns: number; output: Range; part?: number },
): void {
  const constants = { rows, columns, stride, start: part * partStep }
  backend.dispatch(sum, { x, output }, constants, Math.ceil(columns / 64))
}
