/**
 * The factors of a product, as its text reads them: A has M rows, B has N columns, and both have the inner axis, over which is
 * summed. A factor's `outer` axis is A's rows or B's columns.
 *
 * A factor is read in vectors of four elements that lie side by side. Its rows in memory therefore start at multiples of four
 * elements: `matrix.ts` copies those that do not.
 */
import type { ElementType } from '../../program.ts'

/** A factor's kind. */
export interface Operand {
  /**
   * The axis along which elements lie side by side: `inner` for A [M, K] and B [N, K], which is how PyTorch has weights, and
   * `outer` for A [K, M] and B [K, N].
   */
  along: 'inner' | 'outer'
  /** Whether an element has two bytes. */
  half: boolean
  /** Whether it is three tensors: one below the other along the inner axis, or one for each part of the product. */
  stack: 'none' | 'inner' | 'parts'
}

/** The names of the bindings of one tensor, or of a stack. */
export const stackNames = (name: string, isStack: boolean): string[] =>
  isStack ? [0, 1, 2].map(part => `${name}${part}`) : [name]

/** The type of an array's elements, which are vectors where rows come in fours. */
export const elementType = (aligned: boolean, half: boolean): ElementType =>
  aligned ? (half ? 'vec2<u32>' : 'vec4<f32>') : half ? 'u32' : 'f32'

/** `<name>Four(index)`: four elements of a tensor, the first of which has an index that is a multiple of four if `aligned`. */
export function reader(name: string, aligned: boolean, half: boolean): string {
  if (!aligned) {
    const element = (i: number): string =>
      half ? `unpack2x16float(${name}[(index + ${i}u) >> 1u])[(index + ${i}u) & 1u]` : `${name}[index + ${i}u]`
    return `fn ${name}Four(index: u32) -> vec4f { return vec4f(${[0, 1, 2, 3].map(element).join(', ')}); }`
  }
  if (!half) return `fn ${name}Four(index: u32) -> vec4f { return ${name}[index >> 2u]; }`
  return `fn ${name}Four(index: u32) -> vec4f {
  let words = ${name}[index >> 2u];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}`
}

/**
 * Functions that read a factor:
 *
 * `<name>Base(outer)`, the part of a position that depends on the outer index alone;
 * `<name>Load(base, inner)`, the vector from (outer, inner) on. Past the outer size it has the values of other elements; past
 * the inner size it is 0, unless `wholeSteps` says that no lane reads there.
 */
export function operandFunctions(
  name: string,
  { along, half, stack }: Operand,
  { outerSize, wholeSteps }: { outerSize: string; wholeSteps: boolean },
): string {
  const stride = `constants.${name}Stride`
  const innerPart = (index: string): string => (along === 'inner' ? index : `${index} * ${stride}`)
  const base =
    along === 'inner'
      ? `min(outer, constants.${outerSize} - 1u) * ${stride}`
      : `min(outer, ((constants.${outerSize} + 3u) & ~3u) - 4u)`
  const read =
    stack === 'none'
      ? `return ${name}Four(position);`
      : `${
          stack === 'parts'
            ? 'let tensor = part; let at = position;'
            : `let tensor = inner / constants.stackInner; let at = position - ${innerPart('(tensor * constants.stackInner)')};`
        }
  if (tensor == 0u) { return ${name}0Four(at); }
  if (tensor == 1u) { return ${name}1Four(at); }
  return ${name}2Four(at);`
  return `
${stackNames(name, stack !== 'none')
  .map(tensor => reader(tensor, true, half))
  .join('\n')}
fn ${name}Base(outer: u32) -> u32 { return ${base} + part * constants.${name}PartStep; }
fn ${name}Read(position: u32, inner: u32) -> vec4f {
  ${read}
}
fn ${name}Load(base: u32, inner: u32) -> vec4f {
  ${
    wholeSteps
      ? `return ${name}Read(base + ${innerPart('inner')}, inner);`
      : `let i = min(inner, ${along === 'inner' ? `${stride} - 4u` : 'constants.inner - 1u'});
  return select(vec4f(), ${name}Read(base + ${innerPart('i')}, i), inner < constants.inner);`
  }
}`
}
