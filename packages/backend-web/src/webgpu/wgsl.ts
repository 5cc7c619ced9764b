/** Functions in WGSL that several programs have, to put among their declarations. */

/**
 * `sumOfLanes(value, lane)`: the sum over the lanes of a workgroup, the same in all of them, by a tree, so that it rounds the
 * same each time. All lanes must call it.
 */
export const sumOfLanes = (lanes: number): string => `
var<workgroup> laneSums: array<f32, ${lanes}>;
fn sumOfLanes(value: f32, lane: u32) -> f32 {
  laneSums[lane] = value;
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (lane < half) { laneSums[lane] += laneSums[lane + half]; }
  }
  let sum = workgroupUniformLoad(&laneSums[0]);
  workgroupBarrier();
  return sum;
}`
