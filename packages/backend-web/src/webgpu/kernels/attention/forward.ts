/**
 * Attention without an N×N matrix (Dao 2023, FlashAttention-2): of each row the largest score so far, the sum of exponentials and
 * the weighted sum of values are kept, and scaled down when a larger score comes.
 */
import { type Program, program, programFamily } from '../../program.ts'
import { packHalves } from '../../wgsl.ts'
import { forRows } from '../product/micro-kernel.ts'
import { elementType, reader } from '../product/operand.ts'
import {
  type AttentionKind,
  addTileTimesRows,
  attentionConstants,
  declareSums,
  declareTile,
  headFunctions,
  keys,
  lanesOf,
  placeOfLane,
  queries,
  rowsTimesRows,
  STEP,
  values,
  writeSums,
} from './text.ts'

export const forwardProgram: typeof makeForwardProgram = programFamily(makeForwardProgram)

function makeForwardProgram(
  kind: AttentionKind,
): Program<'qkv' | 'output' | 'logSumExp', keyof typeof attentionConstants> {
  const { half, halfOutput } = kind
  const written = halfOutput ? 'packHalves(value / totals[localRow + i])' : 'value / totals[localRow + i]'
  return program({
    name: `attention ${JSON.stringify(kind)}`,
    bindings: { qkv: elementType(true, half), output: elementType(true, halfOutput), logSumExp: 'f32' },
    constants: attentionConstants,
    lanes: lanesOf(kind),
    ...(kind.subgroup && { enable: ['subgroups'] as const }),
    declarations: `
${headFunctions}
${reader('qkv', true, half)}
${halfOutput ? packHalves : ''}
${declareTile('weights', kind, 9)}
var<workgroup> shrinks: array<f32, ${lanesOf(kind)}>;
var<workgroup> totals: array<f32, ${lanesOf(kind)}>;`,
    body: `
  ${placeOfLane(kind)}
  ${declareSums('sums', kind)}
  // The row whose softmax is this lane's.
  let query = tileRow + lane;
  var largest = -1e30;
  var total = 0.0;
  for (var first = 0u; first < constants.tokens; first += ${STEP}u) {
    ${rowsTimesRows('scores', kind, queries, keys)}
    ${forRows(i => `weights[(localRow + ${i}u) * 9u + column / 4u] = scores${i} * constants.scale;`)}
    workgroupBarrier();
    let there = min(${STEP}u, constants.tokens - first);
    var larger = largest;
    for (var k = 0u; k < there; k++) { larger = max(larger, weights[lane * 9u + k / 4u][k % 4u]); }
    let shrink = exp(max(largest - larger, -100.0));
    total *= shrink;
    largest = larger;
    for (var k = 0u; k < ${STEP}u; k += 4u) {
      let inside = vec4u(k) + vec4u(0, 1, 2, 3) < vec4u(there);
      let weight = select(vec4f(), exp(weights[lane * 9u + k / 4u] - larger), inside);
      total += dot(weight, vec4f(1));
      var kept = weight;
      for (var e = 0u; e < 4u; e++) { kept[e] *= keep(head, query, first + k + e); }
      weights[lane * 9u + k / 4u] = kept;
    }
    shrinks[lane] = shrink;
    totals[lane] = total;
    workgroupBarrier();
    ${addTileTimesRows('sums', kind, { tile: 'weights', rowVectors: 9, matrix: values, scale: i => `shrinks[localRow + ${i}u]` })}
    workgroupBarrier();
  }
  ${writeSums('sums', kind, `output[(resultStart(head, row + i) + d) >> 2u] = ${written};`)}
  if (constants.training != 0u && query < constants.tokens) { logSumExp[rowOf(head, query)] = largest + log(total); }`,
  })
}
