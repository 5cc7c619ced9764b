/**
 * The gradient of attention without an N×N matrix: probabilities are computed again from the scores' logSumExp. One program has
 * queries as its rows, and one has keys, so that every sum is one lane's, in the same order each time.
 */
import { type Program, program, programFamily } from '../../program.ts'
import { elementType, reader } from '../product/operand.ts'
import {
  type AttentionKind,
  addTileTimesRows,
  areTokens,
  asArray,
  attentionConstants,
  declareSums,
  declareTile,
  headFunctions,
  keys,
  lanesOf,
  ofFour,
  placeOfLane,
  queries,
  rowsTimesRows,
  STEP,
  upstream,
  values,
  writeSums,
} from './text.ts'

type Constant = keyof typeof attentionConstants

/** The gradient of the queries; `shifts` gets Σ dy·output of each query, which the other program reads. */
export const queryProgram: typeof makeQueryProgram = programFamily(makeQueryProgram)

function makeQueryProgram(
  kind: AttentionKind,
): Program<'dy' | 'qkv' | 'output' | 'logSumExp' | 'shifts' | 'dQkv', Constant> {
  const { half, halfOutput } = kind
  return program({
    name: `attentionGrad of queries ${JSON.stringify(kind)}`,
    bindings: {
      dy: 'vec4<f32>',
      qkv: elementType(true, half),
      output: elementType(true, halfOutput),
      logSumExp: 'f32',
      shifts: 'f32',
      dQkv: 'vec4<f32>',
    },
    constants: attentionConstants,
    lanes: lanesOf(kind),
    ...(kind.subgroup && { enable: ['subgroups'] as const }),
    declarations: `
${headFunctions}
${reader('qkv', true, half)}
${reader('dy', true, false)}
${reader('output', true, halfOutput)}
${declareTile('dScores', kind, 8)}
var<workgroup> rowShifts: array<f32, ${lanesOf(kind)}>;`,
    body: `
  ${placeOfLane(kind)}
  ${declareSums('sums', kind)}
  let query = tileRow + lane;
  let start = resultStart(head, query);
  var shift = 0.0;
  for (var d = 0u; d < constants.headSize; d += 4u) { shift += dot(dyFour(start + d), outputFour(start + d)); }
  rowShifts[lane] = shift;
  if (query < constants.tokens) { shifts[rowOf(head, query)] = shift; }
  workgroupBarrier();
  for (var first = 0u; first < constants.tokens; first += ${STEP}u) {
    ${rowsTimesRows('scores', kind, queries, keys)}
    ${rowsTimesRows('ups', kind, upstream, values)}
    ${asArray('scores')}
    ${asArray('ups')}
    let there = ${areTokens};
    for (var i = 0u; i < rowsThere; i++) {
      let weight = exp(scores[i] * constants.scale - logSumExp[rowOf(head, row + i)]);
      let dScore = weight * (ups[i] * keepRow(head, row + i, first + column) - rowShifts[localRow + i]) * constants.scale;
      dScores[(localRow + i) * 8u + column / 4u] = select(vec4f(), dScore, there);
    }
    workgroupBarrier();
    ${addTileTimesRows('sums', kind, { tile: 'dScores', rowVectors: 8, matrix: keys })}
    workgroupBarrier();
  }
  ${writeSums('sums', kind, 'dQkv[(packedStart(head, 0u, row + i) + d) >> 2u] = value;')}`,
  })
}

/** The gradient of the keys, of the values, or of both: a GPU has no registers for the sums of both. */
export const keyProgram: typeof makeKeyProgram = programFamily(makeKeyProgram)

function makeKeyProgram(
  kind: AttentionKind,
  of: 'keys' | 'values' | 'both',
): Program<'dy' | 'qkv' | 'logSumExp' | 'shifts' | 'dQkv', Constant> {
  const { half } = kind
  const [ofKeys, ofValues] = [of !== 'values', of !== 'keys']
  const ofColumns = (tensor: string): string => ofFour(e => `${tensor}[rowOf(head, first + column + ${e}u)]`)
  const write = (part: number): string => `dQkv[(packedStart(head, ${part}u, row + i) + d) >> 2u] = value;`
  return program({
    name: `attentionGrad of ${of === 'both' ? 'keys and values' : of} ${JSON.stringify(kind)}`,
    bindings: { dy: 'vec4<f32>', qkv: elementType(true, half), logSumExp: 'f32', shifts: 'f32', dQkv: 'vec4<f32>' },
    constants: attentionConstants,
    lanes: lanesOf(kind),
    ...(kind.subgroup && { enable: ['subgroups'] as const }),
    declarations: `
${headFunctions}
${reader('qkv', true, half)}
${reader('dy', true, false)}
${ofKeys ? declareTile('dScores', kind, 8) : ''}
${ofValues ? declareTile('weights', kind, 8) : ''}`,
    body: `
  ${placeOfLane(kind)}
  ${ofKeys ? declareSums('dKeys', kind) : ''}
  ${ofValues ? declareSums('dValues', kind) : ''}
  for (var first = 0u; first < constants.tokens; first += ${STEP}u) {
    ${rowsTimesRows('scores', kind, keys, queries)}
    ${ofKeys ? rowsTimesRows('ups', kind, values, upstream) : ''}
    ${asArray('scores')}
    ${ofKeys ? asArray('ups') : ''}
    let there = ${areTokens};
    let logSums = ${ofColumns('logSumExp')};
    ${ofKeys ? `let columnShifts = ${ofColumns('shifts')};` : ''}
    for (var i = 0u; i < rowsThere; i++) {
      let weight = select(vec4f(), exp(scores[i] * constants.scale - logSums), there);
      let kept = keepColumns(head, first + column, row + i);
      let at = (localRow + i) * 8u + column / 4u;
      ${ofKeys ? 'dScores[at] = weight * (ups[i] * kept - columnShifts) * constants.scale;' : ''}
      ${ofValues ? 'weights[at] = weight * kept;' : ''}
    }
    workgroupBarrier();
    ${ofKeys ? addTileTimesRows('dKeys', kind, { tile: 'dScores', rowVectors: 8, matrix: queries }) : ''}
    ${ofValues ? addTileTimesRows('dValues', kind, { tile: 'weights', rowVectors: 8, matrix: upstream }) : ''}
    workgroupBarrier();
  }
  ${ofKeys ? writeSums('dKeys', kind, write(1)) : ''}
  ${ofValues ? writeSums('dValues', kind, write(2)) : ''}`,
  })
}
