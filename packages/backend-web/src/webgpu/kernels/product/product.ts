/**
 * One generator of matrix products: finish(A·B), where A has M rows and B N columns. Linear layers, the projections of attention
 * and patch embedding are products, and so are their gradients.
 */
import type { WebgpuBackend } from '../../backend.ts'
import type { Range } from '../../memory.ts'
import { type ConstantType, type Program, program } from '../../program.ts'
import { dropConstantTypes } from '../drops.ts'
import { type Epilogue, epilogueBindings, epilogueFunctions, forPart } from './epilogue.ts'
import type { Matrix } from './matrix.ts'
import { elementType, type Operand, operandFunctions, stackNames } from './operand.ts'
import { lanes, lanesOfSubgroup, type Shape, tiles } from './shapes.ts'

/** What the text of a product depends on. */
export interface ProductKind {
  a: Operand
  b: Operand
  epilogue: Epilogue
  /** Whether the sums of A's rows are written, too. */
  sumsRows: boolean
}

type Constant =
  | 'rows'
  | 'columns'
  | 'inner'
  | 'stackInner'
  | 'aStride'
  | 'aPartStep'
  | 'bStride'
  | 'bPartStep'
  | 'outputStride'
  | 'outputPartStep'
  | 'part0'
  | 'part1'
  | 'part2'
  | 'scaling'
  | keyof typeof dropConstantTypes

const constantTypes: Record<Constant, ConstantType> = {
  rows: 'u32',
  columns: 'u32',
  inner: 'u32',
  stackInner: 'u32',
  aStride: 'u32',
  aPartStep: 'u32',
  bStride: 'u32',
  bPartStep: 'u32',
  outputStride: 'u32',
  outputPartStep: 'u32',
  part0: 'u32',
  part1: 'u32',
  part2: 'u32',
  scaling: 'f32',
  ...dropConstantTypes,
}

const zeros = Object.fromEntries(Object.keys(constantTypes).map(name => [name, 0])) as Record<Constant, number>

const programs = new Map<string, Program<string, Constant>>()

/**
 * The program of a kind of product in a shape.
 *
 * @param inner the inner size, which decides whether lanes read past it
 */
export function productProgram(kind: ProductKind, shape: Shape, inner: number): Program<string, Constant> {
  const wholeSteps = inner % shape.innerSteps === 0
  const name = `product in ${shape.name}${wholeSteps ? '' : ', ragged'}: ${JSON.stringify(kind)}`
  let found = programs.get(name)
  if (!found) {
    found = makeProgram(name, kind, shape, wholeSteps)
    programs.set(name, found)
  }
  return found
}

function makeProgram(
  name: string,
  { a, b, epilogue, sumsRows }: ProductKind,
  shape: Shape,
  wholeSteps: boolean,
): Program<string, Constant> {
  const factor = (operand: Operand, ofName: string) =>
    stackNames(ofName, operand.stack !== 'none').map(tensor => [tensor, elementType(true, operand.half)])
  const sumNames = sumsRows ? stackNames('rowSumsOutput', epilogue.stack) : []
  const { declarations, body } = shape.text(a, b, sumsRows)
  const [rowTile, columnTile] = [shape.rows, shape.columns]
  return program({
    name,
    bindings: {
      ...Object.fromEntries([...factor(a, 'a'), ...factor(b, 'b')]),
      ...epilogueBindings(epilogue),
      ...Object.fromEntries(sumNames.map(output => [output, 'f32'])),
    },
    constants: constantTypes,
    lanes: shape.lanes,
    ...(shape.enable && { enable: shape.enable }),
    declarations: `
var<private> part: u32;
${operandFunctions('a', a, { outerSize: 'rows', wholeSteps })}
${operandFunctions('b', b, { outerSize: 'columns', wholeSteps })}
${epilogueFunctions(epilogue)}
${declarations}`,
    body: `
  let columnTiles = (constants.columns + ${columnTile - 1}u) / ${columnTile}u;
  let tileRow = (group / columnTiles) * ${rowTile}u;
  let tileColumn = (group % columnTiles) * ${columnTile}u;
  if (tileRow >= constants.rows) { return; }
  part = select(select(constants.part2, constants.part1, groupId.z == 1u), constants.part0, groupId.z == 0u);
  ${body}
  for (var i = 0u; i < min(8u, constants.rows - min(row, constants.rows)); i++) { finish(row + i, column, sums[i]); }
  ${sumsRows ? writeRowSums(sumNames) : ''}`,
  })
}

const writeRowSums = (names: readonly string[]): string => `
  if (column == 0u) {
    for (var i = 0u; i < min(8u, constants.rows - min(row, constants.rows)); i++) {
      ${forPart(names.map(name => `${name}[row + i] = rowSums[i / 4u][i % 4u];`))}
    }
  }`

/** Which shape suits a device. */
export function shapeFor({ emulated, device }: Pick<WebgpuBackend, 'emulated' | 'device'>): Shape {
  if (!emulated) return tiles
  return hasSubgroupsOfEight(device) ? lanesOfSubgroup : lanes
}

/** Whether a workgroup of eight lanes is in one subgroup. */
export const hasSubgroupsOfEight = ({ adapterInfo, features }: GPUDevice): boolean =>
  features.has('subgroups') && (adapterInfo?.subgroupMinSize ?? 0) >= 8

/** A factor: a matrix, and the axis along which its elements lie side by side. */
export interface Factor {
  matrix: Matrix
  along: Operand['along']
  /** Along which axis the matrices of a stack follow each other: the inner one, or each is of one part. @default 'inner' */
  stack?: 'inner' | 'parts'
}

/** A product. */
export interface Product {
  a: Factor
  b: Factor
  /** The sizes M, N and K. */
  rows: number
  columns: number
  inner: number
  /** Where the result goes; three ranges, one for each part, undefined where it is not wanted. */
  output: Range | readonly (Range | undefined)[]
  /** Whether an element of the result has two bytes; its rows come in fours then. @default false */
  half?: boolean
  /** Elements from one row of the result to the next. @default columns */
  outputStride?: number
  /** Elements from one part of the result to the next, in a row. @default 0 */
  outputPartStep?: number
  /** Parts of a product whose factors are stacks. @default the first alone */
  parts?: readonly number[]
  scaling?: number
  bias?: Range | readonly Range[]
  geluGradientOf?: { range: Range; half: boolean }
  drops?: Record<keyof typeof dropConstantTypes, number>
  residual?: Range
  /** Whether the output is GELU of the result. @default false */
  gelu?: boolean
  /** Where GELU of the result goes, beside the output. */
  activated?: Range
  /** Where the sums of A's rows go. */
  rowSums?: Range | readonly (Range | undefined)[]
}

/** Runs a product. */
export function multiply(backend: WebgpuBackend, product: Product): void {
  const { a, b, rows, columns, inner, output, half = false, outputStride = columns, outputPartStep = 0 } = product
  const { parts = [0], scaling, bias, geluGradientOf, drops, residual, gelu, activated, rowSums } = product
  const kind: ProductKind = {
    a: operandOf(a),
    b: operandOf(b),
    epilogue: {
      ...{ aligned: columns % 4 === 0, half, stack: Array.isArray(output), scaling: scaling !== undefined },
      bias: bias ? (Array.isArray(bias) ? 'parts' : 'one') : 'none',
      geluGradient: geluGradientOf ? (geluGradientOf.half ? 'half' : 'float32') : 'none',
      ...{ drops: drops !== undefined, residual: residual !== undefined },
      gelu: gelu ? 'instead' : activated ? 'beside' : 'none',
    },
    sumsRows: rowSums !== undefined,
  }
  const shape = shapeFor(backend)
  const ranges = {
    ...named('a', a.matrix.ranges),
    ...named('b', b.matrix.ranges),
    ...named('output', output),
    ...named('bias', bias),
    activationInput: geluGradientOf?.range,
    ...{ residual, activated },
    ...named('rowSumsOutput', rowSums),
  }
  const [part0 = 0, part1 = 0, part2 = 0] = parts
  const constants = {
    ...zeros,
    ...{ rows, columns, inner, outputStride, outputPartStep, part0, part1, part2 },
    ...{ stackInner: inner / 3, scaling: scaling ?? 1, ...drops },
    ...{ aStride: a.matrix.stride, aPartStep: a.matrix.partStep ?? 0 },
    ...{ bStride: b.matrix.stride, bPartStep: b.matrix.partStep ?? 0 },
  }
  const groups = Math.ceil(rows / shape.rows) * Math.ceil(columns / shape.columns)
  const [x, y] = backend.recorder.workgroups(groups)
  backend.dispatch(productProgram(kind, shape, inner), ranges, constants, [x, y, parts.length])
}

const operandOf = ({ matrix: { ranges, half }, along, stack = 'inner' }: Factor): Operand => ({
  along,
  half,
  stack: ranges.length > 1 ? stack : 'none',
})

type Ranges = Range | readonly (Range | undefined)[]

const named = (name: string, ranges: Ranges | undefined): Record<string, Range | undefined> => {
  if (!ranges) return {}
  const all = Array.isArray(ranges) ? (ranges as readonly (Range | undefined)[]) : [ranges as Range]
  return Object.fromEntries(stackNames(name, all.length > 1).map((key, i) => [key, all[i]]))
}
