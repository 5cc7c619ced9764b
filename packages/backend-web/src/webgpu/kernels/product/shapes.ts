/**
 * Ways to share a product among lanes. In both a lane sums 8 rows × 4 columns, `sums[0]` to `sums[7]`, and loads four steps
 * of the inner axis at a time.
 *
 * `tiles`, for GPUs: 128 lanes share 64 × 64 sums, whose factors they bring to workgroup memory 16 steps at a time, 8 KiB
 * together. An element of a factor is loaded once for 64 sums, M·N·K / 32 elements in all, and a step takes three loads from
 * workgroup memory for 32 multiplications.
 *
 * `lanes`, for adapters that a CPU emulates: 8 lanes, which are one vector of the CPU, share 8 rows × 32 columns. There are no
 * barriers, at which an emulation changes stacks, and all lanes need the same elements of A. Where the eight are in one
 * subgroup (`lanesOfSubgroup`) each loads one row of them, and the others get it by a broadcast. With Mesa 25.0's lavapipe that
 * computes 9.6 GFLOP/s a core, without subgroups 4.2, and the tiles 2.8: a product of 520 × 768 × 192.
 */
import { broadcast, eight, four, multiplyRow, transposed } from './micro-kernel.ts'
import type { Operand } from './operand.ts'

/** How a product is shared. */
export interface Shape {
  name: 'tiles' | 'lanes' | 'lanesOfSubgroup'
  /** Features of WGSL that the text uses. @default none */
  enable?: readonly 'subgroups'[]
  /** Lanes of a workgroup. */
  lanes: number
  /** Rows and columns of a workgroup. */
  rows: number
  columns: number
  /** Steps of the inner axis between checks whether there are more. */
  innerSteps: number
  /**
   * Declarations, and the text from `tileRow` and `tileColumn` on to `row`, `column` and `sums`; with `sumsRows` also the sums of
   * the lane's rows of A, `rowSums`, in workgroups whose `tileColumn` is 0; A lies along its outer axis then.
   */
  text(a: Operand, b: Operand, sumsRows: boolean): { declarations: string; body: string }
}

const multiplyARow = (i: number): string => multiplyRow(`row${i}`, `a${i}`, 'b')
const declareRows = eight.map(i => `var row${i} = vec4f();`).join(' ')
const gatherRows = `var sums = array<vec4f, 8>(${eight.map(i => `row${i}`).join(', ')});`

/** How eight lanes get the four steps of each of their eight rows: what is computed once, before the loop and for a step, and each row. */
interface RowLoads {
  before: readonly string[]
  step: readonly string[]
  row: (i: number) => string
  /** Adds to `rowSums` what a step adds, and what is left to do after the loop; A lies along its rows then. */
  sums: string
  afterSums: string
}

const noSums = { sums: '', afterSums: '' }

const loadedByAll = ({ along }: Operand): RowLoads =>
  along === 'inner'
    ? {
        before: eight.map(i => `let aBase${i} = aBase(row + ${i}u);`),
        step: [],
        row: i => `let a${i} = aLoad(aBase${i}, k);`,
        ...noSums,
      }
    : {
        before: [0, 4].map(i => `let aBase${i} = aBase(row + ${i}u);`),
        step: [0, 4].flatMap(first => [
          ...four.map(e => `let aDown${first + e} = aLoad(aBase${first}, k + ${e}u);`),
          transposed('a', 'aDown', first),
        ]),
        row: () => '',
        sums: [0, 1].map(half => `rowSums[${half}] += ${four.map(e => `aDown${4 * half + e}`).join(' + ')};`).join(' '),
        afterSums: '',
      }

const loadedByOneEach = ({ along }: Operand): RowLoads =>
  along === 'inner'
    ? {
        before: ['let ownBase = aBase(row + lane);'],
        step: ['let own = aLoad(ownBase, k);'],
        row: i => `let a${i} = ${broadcast('own', i)};`,
        ...noSums,
      }
    : {
        // A lane has one of four steps, of the upper four rows or the lower.
        before: ['let ownBase = aBase(row + (lane % 2u) * 4u);'],
        step: ['let own = aLoad(ownBase, k + lane / 2u);'],
        row: i => {
          const steps = four.map(e => broadcast(`own.${'xyzw'[i % 4]}`, 2 * e + Math.floor(i / 4)))
          return `let a${i} = vec4f(${steps.join(', ')});`
        },
        sums: 'rowSums[0] += own;',
        afterSums: `let ownSum = rowSums[0];
  ${[0, 1].map(half => `rowSums[${half}] = ${four.map(e => broadcast('ownSum', 2 * e + half)).join(' + ')};`).join(' ')}`,
      }

const inLanes = (
  loadsOf: (a: Operand) => RowLoads,
): Pick<Shape, 'lanes' | 'rows' | 'columns' | 'innerSteps' | 'text'> => ({
  ...{ lanes: 8, rows: 8, columns: 32, innerSteps: 4 },
  text(a, b, sumsRows) {
    const { before, step, row, sums, afterSums } = loadsOf(a)
    const firstColumns = b.along === 'inner' ? four : ([0] as const)
    const loadColumns =
      b.along === 'inner'
        ? [...four.map(e => `let bDown${e} = bLoad(bBase${e}, k);`), transposed('b', 'bDown')]
        : four.map(e => `let b${e} = bLoad(bBase0, k + ${e}u);`)
    // A row's load stands beside its products, so that few vectors are live at a time.
    const products = [...step, ...eight.map(i => `${row(i)} ${multiplyARow(i)}`)]
    return {
      declarations: '',
      body: `
  let row = tileRow;
  let column = tileColumn + lane * 4u;
  ${before.join(' ')}
  ${firstColumns.map(e => `let bBase${e} = bBase(column + ${e}u);`).join(' ')}
  ${declareRows}
  ${sumsRows ? 'var rowSums = array<vec4f, 2>();' : ''}
  for (var k = 0u; k < constants.inner; k += 4u) {
    ${[...loadColumns, ...products].join('\n    ')}
    ${sumsRows ? sums : ''}
  }
  ${gatherRows}
  ${sumsRows ? afterSums : ''}`,
    }
  },
})

export const lanes: Shape = { name: 'lanes', ...inLanes(loadedByAll) }

export const lanesOfSubgroup: Shape = {
  name: 'lanesOfSubgroup',
  enable: ['subgroups'],
  ...inLanes(loadedByOneEach),
}

export const tiles: Shape = {
  name: 'tiles',
  ...{ lanes: 128, rows: 64, columns: 64, innerSteps: 16 },
  text: (a, b, sumsRows) => ({
    declarations: `
var<workgroup> aTile: array<vec4f, 256>; // [16 steps][64 rows]
var<workgroup> bTile: array<vec4f, 256>; // [16 steps][64 columns]`,
    body: `
  let row = tileRow + (lane / 16u) * 8u;
  let column = tileColumn + (lane % 16u) * 4u;
  ${declareRows}
  ${sumsRows ? 'var rowSums = array<vec4f, 2>();' : ''}
  // One half of the lanes brings A, the other B.
  let loader = lane % 64u;
  for (var first = 0u; first < constants.inner; first += 16u) {
    if (lane < 64u) {
      ${bring('a', a, 'tileRow')}
    } else {
      ${bring('b', b, 'tileColumn')}
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let b = bTile[k * 16u + lane % 16u];
      let above = aTile[k * 16u + (lane / 16u) * 2u];
      let below = aTile[k * 16u + (lane / 16u) * 2u + 1u];
      ${eight.map(i => `row${i} += ${i < 4 ? 'above' : 'below'}.${'xyzw'[i % 4]} * b;`).join('\n      ')}
      ${sumsRows ? 'if (tileColumn == 0u) { rowSums[0] += above; rowSums[1] += below; }' : ''}
    }
    workgroupBarrier();
  }
  ${gatherRows}`,
  }),
}

/** 64 lanes bring 16 steps of 64 rows or columns, each four vectors. */
function bring(name: 'a' | 'b', { along }: Operand, tileStart: string): string {
  if (along === 'outer')
    return `let base = ${name}Base(${tileStart} + (loader % 16u) * 4u);
      for (var step = loader / 16u; step < 16u; step += 4u) {
        ${name}Tile[step * 16u + loader % 16u] = ${name}Load(base, first + step);
      }`
  return `let outer = loader / 4u;
      let step = (loader % 4u) * 4u;
      ${four.map(e => `let down${e} = ${name}Load(${name}Base(${tileStart} + outer * 4u + ${e}u), first + step);`).join('\n      ')}
      ${transposed('turned', 'down')}
      ${four.map(e => `${name}Tile[(step + ${e}u) * 16u + outer] = turned${e};`).join(' ')}`
}
