/** Functions in WGSL that several programs have, to put among their declarations. */

/**
 * `sumOfLanes(value, lane)`: the sum over the lanes of a workgroup, the same in all of them, by a tree, so that it rounds the
 * same each time. All lanes must call it.
 */
export const sumOfLanes = (lanes: number): string => overLanes(lanes, 'sumOfLanes', (a, b) => `${a} + ${b}`)

/** `maxOfLanes(value, lane)`: the largest, likewise. */
export const maxOfLanes = (lanes: number): string => overLanes(lanes, 'maxOfLanes', (a, b) => `max(${a}, ${b})`)

const overLanes = (lanes: number, name: string, combine: (a: string, b: string) => string): string => `
var<workgroup> ${name}Values: array<f32, ${lanes}>;
fn ${name}(value: f32, lane: u32) -> f32 {
  ${name}Values[lane] = value;
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (lane < half) { ${name}Values[lane] = ${combine(`${name}Values[lane]`, `${name}Values[lane + half]`)}; }
  }
  let result = workgroupUniformLoad(&${name}Values[0]);
  workgroupBarrier();
  return result;
}`

/**
 * `gelu(x)`, the exact one, and `geluGradient(x)`, by way of erf (Abramowitz and Stegun 1964, 7.1.26, which is off by 1.5e-7 at
 * most); without tanh, which is NaN of large numbers on some adapters.
 */
export const geluFunctions: string = `
// Φ(x), and e^(-x²/2) beside it.
fn normalDistribution(x: f32) -> vec2<f32> {
  let z = abs(x) * ${Math.SQRT1_2};
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let power = exp(-z * z);
  let tail = 0.5 * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * power;
  return vec2(select(tail, 1.0 - tail, x >= 0.0), power);
}
fn gelu(x: f32) -> f32 { return x * normalDistribution(x).x; }
fn geluGradient(x: f32) -> f32 {
  let both = normalDistribution(x);
  return both.x + x * both.y * ${1 / Math.sqrt(2 * Math.PI)};
}`

/**
 * `keepMultiplier(seed, index, threshold, kept)`: 0 or `kept`, of element `index` of a stream, bit by bit as keepMask of
 * packages/core/src/tape/random.ts; the constants are those of `keepConstants`.
 */
export const keepFunctions: string = `
fn mixBits(value: u32) -> u32 {
  var x = value;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}
fn keepMultiplier(seed: u32, index: u32, threshold: u32, kept: f32) -> f32 {
  let bits = mixBits(mixBits(seed ^ 0x85ebca6bu) + mixBits(index * 0x9e3779b1u + 0x7f4a7c15u));
  return select(0.0, kept, bits >= threshold);
}`

/** What `keepMultiplier` takes for a probability; 0 keeps everything. */
export const keepConstants = (probability: number): { threshold: number; kept: number } => ({
  threshold: Math.floor(probability * 2 ** 32),
  kept: 1 / (1 - probability),
})

/**
 * `packHalves(x)`: four numbers as halves, rounded to the nearest and to even; beyond 65504 they become infinite. By integers,
 * since WGSL leaves it to the device what its own pack2x16float does with numbers that are out of range.
 */
export const packHalves: string = `
fn packHalves(x: vec4f) -> vec2u {
  let bits = bitcast<vec4u>(x);
  let magnitude = bits & vec4u(0x7fffffffu);
  let normal = ((magnitude + 0xfffu + ((magnitude >> vec4u(13u)) & vec4u(1u))) >> vec4u(13u)) - 0x1c000u;
  // Below 2^-14 a half is a multiple of 2^-24, which is the last place of a float from 0.5 on.
  let small = bitcast<vec4u>(abs(x) + 0.5) - 0x3f000000u;
  let finite = select(normal, small, magnitude < vec4u(0x38800000u));
  let ranged = select(finite, vec4u(0x7c00u), magnitude >= vec4u(0x477ff000u));
  let half = select(ranged, vec4u(0x7e00u), magnitude > vec4u(0x7f800000u)) | ((bits >> vec4u(16u)) & vec4u(0x8000u));
  return vec2u(half.x | (half.y << 16u), half.z | (half.w << 16u));
}`
