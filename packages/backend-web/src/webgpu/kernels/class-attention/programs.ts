/**
 * The programs of class attention. B samples, N tokens, H heads of D, C = H·D.
 *
 * A workgroup has one head of one sample, whose whole chain of products it computes: each is a matrix times a vector, and none
 * is large. What the gradient reads of them is in `saved`: queries [B, C], the queries times the key's weight `ofTokens`
 * [B, H, C], probabilities [B, H, N], and the sums of tokens by probability `sums` [B, H, C]. Their gradients are in `up` in the
 * same places.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type ConstantType, type Program, program } from '../../program.ts'
import { maxOfLanes, sumOfLanes } from '../../wgsl.ts'

const LANES = 64

type Size = 'batch' | 'tokens' | 'heads' | 'headSize' | 'scale'

const sizeTypes: Record<Size, ConstantType> = {
  batch: 'u32',
  tokens: 'u32',
  heads: 'u32',
  headSize: 'u32',
  scale: 'f32',
}

export function sizesOf(x: TensorInfo, { numHeads, scale }: { numHeads: number; scale: number }): Record<Size, number> {
  const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
  return { batch, tokens, heads: numHeads, headSize: hiddenSize / numHeads, scale }
}

/** Elements of `saved`. */
export const savedSize = ({ batch, tokens, heads, headSize }: Record<Size, number>): number =>
  batch * heads * (headSize + tokens + 2 * heads * headSize)

/** Where a head's rows are in x, in `saved` and `up`, and in the weights. */
const places = `
struct Places { x: u32, query: u32, ofTokens: u32, probabilities: u32, sums: u32, weight: u32 }
fn placesOf(sample: u32, head: u32) -> Places {
  let C = constants.heads * constants.headSize;
  let number = sample * constants.heads + head;
  let heads = constants.batch * constants.heads;
  let ofTokens = constants.batch * C;
  let probabilities = ofTokens + heads * C;
  let sums = probabilities + heads * constants.tokens;
  return Places(
    sample * constants.tokens * C,
    sample * C + head * constants.headSize,
    ofTokens + number * C,
    probabilities + number * constants.tokens,
    sums + number * C,
    head * constants.headSize * C,
  );
}`

const placeOfWorkgroup = `
  if (group >= constants.batch * constants.heads) { return; }
  let C = constants.heads * constants.headSize;
  let at = placesOf(group / constants.heads, group % constants.heads);`

export const forward: Program<
  'x' | 'queryWeight' | 'keyWeight' | 'valueWeight' | 'queryBias' | 'valueBias' | 'output' | 'saved',
  Size | 'hasQueryBias' | 'hasValueBias'
> = program({
  name: 'classAttention',
  bindings: {
    x: 'f32',
    queryWeight: 'f32',
    keyWeight: 'f32',
    valueWeight: 'f32',
    queryBias: 'f32',
    valueBias: 'f32',
    output: 'f32',
    saved: 'f32',
  },
  constants: { ...sizeTypes, hasQueryBias: 'u32', hasValueBias: 'u32' },
  lanes: LANES,
  declarations: `${places}\n${maxOfLanes(LANES)}\n${sumOfLanes(LANES)}`,
  body: `
  ${placeOfWorkgroup}
  let column = (group % constants.heads) * constants.headSize;
  for (var d = lane; d < constants.headSize; d += LANES) {
    var sum = 0.0;
    for (var c = 0u; c < C; c++) { sum += x[at.x + c] * queryWeight[at.weight + d * C + c]; }
    if (constants.hasQueryBias != 0u) { sum += queryBias[column + d]; }
    saved[at.query + d] = sum;
  }
  storageBarrier();
  for (var c = lane; c < C; c += LANES) {
    var sum = 0.0;
    for (var d = 0u; d < constants.headSize; d++) { sum += saved[at.query + d] * keyWeight[at.weight + d * C + c]; }
    saved[at.ofTokens + c] = sum;
  }
  storageBarrier();
  var largest = -1e30;
  for (var n = lane; n < constants.tokens; n += LANES) {
    var sum = 0.0;
    for (var c = 0u; c < C; c++) { sum += saved[at.ofTokens + c] * x[at.x + n * C + c]; }
    saved[at.probabilities + n] = sum * constants.scale;
    largest = max(largest, sum * constants.scale);
  }
  largest = maxOfLanes(largest, lane);
  var total = 0.0;
  for (var n = lane; n < constants.tokens; n += LANES) {
    let weight = exp(saved[at.probabilities + n] - largest);
    saved[at.probabilities + n] = weight;
    total += weight;
  }
  total = sumOfLanes(total, lane);
  for (var n = lane; n < constants.tokens; n += LANES) { saved[at.probabilities + n] /= total; }
  storageBarrier();
  for (var c = lane; c < C; c += LANES) {
    var sum = 0.0;
    for (var n = 0u; n < constants.tokens; n++) { sum += saved[at.probabilities + n] * x[at.x + n * C + c]; }
    saved[at.sums + c] = sum;
  }
  storageBarrier();
  for (var d = lane; d < constants.headSize; d += LANES) {
    var sum = 0.0;
    for (var c = 0u; c < C; c++) { sum += saved[at.sums + c] * valueWeight[at.weight + d * C + c]; }
    if (constants.hasValueBias != 0u) { sum += valueBias[column + d]; }
    output[at.query + d] = sum;
  }`,
})

/** The gradients of what is saved; those of the probabilities are of the scores. */
export const backward: Program<'dy' | 'x' | 'keyWeight' | 'valueWeight' | 'saved' | 'up', Size> = program({
  name: 'classAttentionGrad',
  bindings: { dy: 'f32', x: 'f32', keyWeight: 'f32', valueWeight: 'f32', saved: 'f32', up: 'f32' },
  constants: sizeTypes,
  lanes: LANES,
  declarations: `${places}\n${sumOfLanes(LANES)}`,
  body: `
  ${placeOfWorkgroup}
  for (var c = lane; c < C; c += LANES) {
    var sum = 0.0;
    for (var d = 0u; d < constants.headSize; d++) { sum += dy[at.query + d] * valueWeight[at.weight + d * C + c]; }
    up[at.sums + c] = sum;
  }
  storageBarrier();
  var mean = 0.0;
  for (var n = lane; n < constants.tokens; n += LANES) {
    var sum = 0.0;
    for (var c = 0u; c < C; c++) { sum += up[at.sums + c] * x[at.x + n * C + c]; }
    up[at.probabilities + n] = sum;
    mean += sum * saved[at.probabilities + n];
  }
  mean = sumOfLanes(mean, lane);
  for (var n = lane; n < constants.tokens; n += LANES) {
    let share = up[at.probabilities + n] - mean;
    up[at.probabilities + n] = saved[at.probabilities + n] * share * constants.scale;
  }
  storageBarrier();
  for (var c = lane; c < C; c += LANES) {
    var sum = 0.0;
    for (var n = 0u; n < constants.tokens; n++) { sum += up[at.probabilities + n] * x[at.x + n * C + c]; }
    up[at.ofTokens + c] = sum;
  }
  storageBarrier();
  for (var d = lane; d < constants.headSize; d += LANES) {
    var sum = 0.0;
    for (var c = 0u; c < C; c++) { sum += up[at.ofTokens + c] * keyWeight[at.weight + d * C + c]; }
    up[at.query + d] = sum;
  }`,
})

export const inputGradient: Program<'queryWeight' | 'saved' | 'up' | 'dx', Size> = program({
  name: 'classAttentionGrad of x',
  bindings: { queryWeight: 'f32', saved: 'f32', up: 'f32', dx: 'f32' },
  constants: sizeTypes,
  lanes: LANES,
  declarations: places,
  body: `
  let C = constants.heads * constants.headSize;
  let i = group * LANES + lane;
  if (i >= constants.batch * constants.tokens * C) { return; }
  let c = i % C;
  let n = (i / C) % constants.tokens;
  let sample = i / C / constants.tokens;
  var sum = 0.0;
  for (var head = 0u; head < constants.heads; head++) {
    let at = placesOf(sample, head);
    sum += up[at.probabilities + n] * saved[at.ofTokens + c] + saved[at.probabilities + n] * up[at.sums + c];
  }
  if (n == 0u) {
    for (var row = 0u; row < C; row++) { sum += up[sample * C + row] * queryWeight[row * C + c]; }
  }
  dx[i] = sum;`,
})

type Wanted = 'wantsQuery' | 'wantsKey' | 'wantsValue'

const wantedTypes: Record<Wanted, ConstantType> = { wantsQuery: 'u32', wantsKey: 'u32', wantsValue: 'u32' }

export const weightGradients: Program<
  'dy' | 'x' | 'saved' | 'up' | 'dQueryWeight' | 'dKeyWeight' | 'dValueWeight',
  Size | Wanted
> = program({
  name: 'classAttentionGrad of weights',
  bindings: {
    dy: 'f32',
    x: 'f32',
    saved: 'f32',
    up: 'f32',
    dQueryWeight: 'f32',
    dKeyWeight: 'f32',
    dValueWeight: 'f32',
  },
  constants: { ...sizeTypes, ...wantedTypes },
  lanes: LANES,
  declarations: places,
  body: `
  let C = constants.heads * constants.headSize;
  let i = group * LANES + lane;
  if (i >= C * C) { return; }
  let row = i / C;
  let c = i % C;
  var sums = vec3f();
  for (var sample = 0u; sample < constants.batch; sample++) {
    let at = placesOf(sample, row / constants.headSize);
    let own = sample * C + row;
    sums += vec3f(up[own] * x[at.x + c], saved[own] * up[at.ofTokens + c], dy[own] * saved[at.sums + c]);
  }
  if (constants.wantsQuery != 0u) { dQueryWeight[i] = sums.x; }
  if (constants.wantsKey != 0u) { dKeyWeight[i] = sums.y; }
  if (constants.wantsValue != 0u) { dValueWeight[i] = sums.z; }`,
})

/** The key's is 0: all scores share it, and softmax takes it away. */
export const biasGradients: Program<'dy' | 'up' | 'dQueryBias' | 'dKeyBias' | 'dValueBias', Size | Wanted> = program({
  name: 'classAttentionGrad of biases',
  bindings: { dy: 'f32', up: 'f32', dQueryBias: 'f32', dKeyBias: 'f32', dValueBias: 'f32' },
  constants: { ...sizeTypes, ...wantedTypes },
  lanes: LANES,
  body: `
  let C = constants.heads * constants.headSize;
  let c = group * LANES + lane;
  if (c >= C) { return; }
  var sums = vec2f();
  for (var sample = 0u; sample < constants.batch; sample++) { sums += vec2f(up[sample * C + c], dy[sample * C + c]); }
  if (constants.wantsQuery != 0u) { dQueryBias[c] = sums.x; }
  if (constants.wantsKey != 0u) { dKeyBias[c] = 0.0; }
  if (constants.wantsValue != 0u) { dValueBias[c] = sums.y; }`,
})

/** Workgroups for a program with a lane for each element. */
export const elementWorkgroups = (elements: number): number => Math.ceil(elements / LANES)
