/**
 * What the programs of attention have in common. B samples, N tokens, H heads of D.
 *
 * A workgroup has some tokens of one head as rows, eight for every eight lanes, and goes over all tokens of the head as columns,
 * 32 at a time: it multiplies rows and columns over D, and then the 32 columns' numbers, which lie in workgroup memory meanwhile,
 * with a matrix of D columns, of which a lane has four in every 32. On a GPU there are 64 lanes, so that an element is loaded
 * once for 64 rows; an adapter that a CPU emulates has 8, its vector.
 */
import { keepFunctions } from '../../wgsl.ts'
import { broadcast, eight, forRows, four, multiplyRow, transposed } from '../product/micro-kernel.ts'

/** What the text of a program depends on. */
export interface AttentionKind {
  /** Sums for how many 32s of D there are; more than D has where a CPU plays the GPU, so that all models share programs. */
  blocks: number
  /** Whether queries, keys and values have two bytes an element. */
  half: boolean
  /** Whether results have. */
  halfOutput: boolean
  /** Whether a CPU plays the GPU. */
  emulated: boolean
  /** Whether its eight lanes are in one subgroup, so that each loads a row of eight for all. */
  subgroup: boolean
}

/** Columns of a step. */
export const STEP = 32

/** Lanes of a workgroup, which are also its rows. */
export const lanesOf = ({ emulated }: Pick<AttentionKind, 'emulated'>): number => (emulated ? 8 : 64)

/** Room for D: to the emulation's compiler, which takes seconds for each program, all D up to 128 are one. */
export const blocksOf = (headSize: number, emulated: boolean): number =>
  Math.max(emulated ? 4 : 1, Math.ceil(headSize / STEP))

/** D is a multiple of four; a threshold of 0 drops nothing. */
export const attentionConstants = {
  tokens: 'u32',
  heads: 'u32',
  headsInAll: 'u32',
  headSize: 'u32',
  scale: 'f32',
  seed: 'u32',
  threshold: 'u32',
  kept: 'f32',
  training: 'u32',
} as const

/** Where a head's rows are, in queries, keys and values [B, N, 3, H, D] and in results [B, N, H, D]. */
export const headFunctions: string = `
struct Head { number: u32, packed: u32, result: u32 }
fn headOf(number: u32) -> Head {
  let sample = number / constants.heads;
  let column = (number % constants.heads) * constants.headSize;
  let width = constants.heads * constants.headSize;
  return Head(number, sample * constants.tokens * 3u * width + column, sample * constants.tokens * width + column);
}
fn packedStart(head: Head, part: u32, token: u32) -> u32 {
  return head.packed + (min(token, constants.tokens - 1u) * 3u + part) * constants.heads * constants.headSize;
}
fn resultStart(head: Head, token: u32) -> u32 {
  return head.result + min(token, constants.tokens - 1u) * constants.heads * constants.headSize;
}
fn rowOf(head: Head, token: u32) -> u32 { return head.number * constants.tokens + min(token, constants.tokens - 1u); }
${keepFunctions}
fn keep(head: Head, query: u32, key: u32) -> f32 {
  if (constants.threshold == 0u) { return 1.0; }
  let index = (head.number * constants.tokens + query) * constants.tokens + key;
  return keepMultiplier(constants.seed, index, constants.threshold, constants.kept);
}
fn keepRow(head: Head, query: u32, firstKey: u32) -> vec4f {
  var kept: vec4f;
  for (var e = 0u; e < 4u; e++) { kept[e] = keep(head, query, firstKey + e); }
  return kept;
}
fn keepColumns(head: Head, firstQuery: u32, key: u32) -> vec4f {
  var kept: vec4f;
  for (var e = 0u; e < 4u; e++) { kept[e] = keep(head, firstQuery + e, key); }
  return kept;
}`

/**
 * The workgroup's head and first row; a lane's eight rows start at `row`, and its four columns at `column` of every 32. With
 * eight lanes the row does not depend on the lane, so that an emulation loads it once for all of them.
 */
export const placeOfLane = ({ emulated }: AttentionKind): string => `
  let rowTiles = (constants.tokens + LANES - 1u) / LANES;
  if (group / rowTiles >= constants.headsInAll) { return; }
  let head = headOf(group / rowTiles);
  let tileRow = (group % rowTiles) * LANES;
  let localRow = ${emulated ? '0u' : '(lane / 8u) * 8u'};
  let row = tileRow + localRow;
  let column = (lane % 8u) * 4u;
  let rowsThere = min(8u, constants.tokens - min(row, constants.tokens));`

/** A matrix of which rows start somewhere: a tensor, and WGSL for where the row of `token` starts. */
export interface Rows {
  tensor: string
  start: (token: string) => string
}

const startOf = (tensor: string, part: number) => (token: string) => `${tensor}(head, ${part}u, ${token})`

export const queries: Rows = { tensor: 'qkv', start: startOf('packedStart', 0) }
export const keys: Rows = { tensor: 'qkv', start: startOf('packedStart', 1) }
export const values: Rows = { tensor: 'qkv', start: startOf('packedStart', 2) }
export const upstream: Rows = { tensor: 'dy', start: token => `resultStart(head, ${token})` }

/** Sums `<name>0` to `<name>7`, rows of one matrix times those of another from `first + column` on, over D. */
export const rowsTimesRows = (name: string, { subgroup }: AttentionKind, rows: Rows, columns: Rows): string => `
    ${subgroup ? `let ${name}Own = ${rows.start('row + lane')};` : forRows(i => `let ${name}Row${i} = ${rows.start(`row + ${i}u`)};`)}
    ${forRows(i => `var ${name}${i} = vec4f();`)}
    ${four.map(e => `let ${name}Column${e} = ${columns.start(`first + column + ${e}u`)};`).join(' ')}
    for (var d = 0u; d < constants.headSize; d += 4u) {
    ${four.map(e => `let down${e} = ${columns.tensor}Four(${name}Column${e} + d);`).join('\n    ')}
    ${transposed('b', 'down')}
    ${subgroup ? `let own = ${rows.tensor}Four(${name}Own + d);` : ''}
    ${forRows(i => {
      const a = subgroup ? broadcast('own', i) : `${rows.tensor}Four(${name}Row${i} + d)`
      return `{ let a = ${a}; ${multiplyRow(`${name}${i}`, 'a', 'b')} }`
    })}
    }`

/** The sums as an array, for loops: eight times the same text takes a driver eight times as long to compile. */
export const asArray = (name: string): string =>
  `var ${name} = array<vec4f, 8>(${eight.map(i => `${name}${i}`).join(', ')});`

/** A tile of workgroup memory, 32 columns of all rows. A vector more a row keeps lanes that read a row each off one bank. */
export const declareTile = (name: string, kind: AttentionKind, rowVectors: 8 | 9): string =>
  `var<workgroup> ${name}: array<vec4f, ${lanesOf(kind) * rowVectors}>;`

/** Declares sums of eight rows for every 32 columns of D. */
export const declareSums = (name: string, { blocks }: AttentionKind): string =>
  `var ${name}: array<vec4f, ${8 * blocks}>;`

/** Text for each 32 columns of D: a loop where compiling takes longer than running it, or written out, for registers. */
export function forBlocks({ blocks, emulated }: AttentionKind, text: (block: string) => string): string {
  if (emulated) return `for (var block = 0u; block < (constants.headSize + 31u) / 32u; block++) { ${text('block')} }`
  return Array.from({ length: blocks }, (_, block) => `{ ${text(`${block}u`)} }`).join('\n    ')
}

/** Adds a tile's rows times rows of a matrix, whose columns are D; `scale` is WGSL for what the sums are multiplied by first. */
export const addTileTimesRows = (
  sums: string,
  kind: AttentionKind,
  {
    tile,
    rowVectors,
    matrix,
    scale,
  }: { tile: string; rowVectors: 8 | 9; matrix: Rows; scale?: (row: number) => string },
): string =>
  forBlocks(
    kind,
    block => `
    let d = min(${block} * 32u + column, constants.headSize - 4u);
    ${forRows(i => `var sum${i} = ${sums}[${block} * 8u + ${i}u]${scale ? ` * ${scale(i)}` : ''};`)}
    for (var k = 0u; k < min(32u, constants.tokens - first); k += 4u) {
    ${four.map(e => `let b${e} = ${matrix.tensor}Four(${matrix.start(`first + k + ${e}u`)} + d);`).join('\n    ')}
    ${kind.subgroup ? `let own = ${tile}[lane * ${rowVectors}u + k / 4u];` : ''}
    ${forRows(i => {
      const a = kind.subgroup ? broadcast('own', i) : `${tile}[(localRow + ${i}u) * ${rowVectors}u + k / 4u]`
      return `{ let a = ${a}; ${multiplyRow(`sum${i}`, 'a', 'b')} }`
    })}
    }
    ${eight.map(i => `${sums}[${block} * 8u + ${i}u] = sum${i};`).join(' ')}`,
  )

/** Writes sums: `write` is text for a vector `value` of row `row + i` at D's column `d`. */
export const writeSums = (sums: string, kind: AttentionKind, write: string): string =>
  forBlocks(
    kind,
    block => `
    let d = ${block} * 32u + column;
    if (d < constants.headSize) {
      for (var i = 0u; i < rowsThere; i++) {
        let value = ${sums}[${block} * 8u + i];
        ${write}
      }
    }`,
  )

/** Those of the four tokens from `first + column` on that there are. */
export const areTokens = '(vec4u(first + column) + vec4u(0, 1, 2, 3) < vec4u(constants.tokens))'

/** A vector of four values. */
export const ofFour = (value: (e: number) => string): string => `vec4f(${four.map(value).join(', ')})`
