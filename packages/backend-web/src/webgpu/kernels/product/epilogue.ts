/** What becomes of a product's sums: one function that finishes four columns of a row and writes them. */
import type { ElementType } from '../../program.ts'
import { geluFunctions, packHalves } from '../../wgsl.ts'
import { keepFunction } from '../drops.ts'
import { elementType, reader, stackNames } from './operand.ts'

/** The result, and what is done to it before it is written, in this order. */
export interface Epilogue {
  /** Whether rows of the output come in fours. */
  aligned: boolean
  /** Whether the output has two bytes an element; it is aligned then. */
  half: boolean
  /** Whether the output is three tensors, one for each part. */
  stack: boolean
  /** Multiplies by constants.scaling. */
  scaling: boolean
  /** Adds a bias to each column, or to those of each part its own. */
  bias: 'none' | 'one' | 'parts'
  /** Multiplies by GELU's derivative at `activationInput`, whose shape is the output's. */
  geluGradient: 'none' | 'float32' | 'half'
  /** Dropout and drop path. */
  drops: boolean
  /** Adds a tensor of the output's shape. */
  residual: boolean
  /** Writes GELU of the result: in its place, or beside it to `activated`. */
  gelu: 'none' | 'instead' | 'beside'
}

/** The bindings that it reads and writes. */
export function epilogueBindings(epilogue: Epilogue): Record<string, ElementType> {
  const { aligned, half, stack, bias, geluGradient, residual, gelu } = epilogue
  const bindings = stackNames('output', stack).map((name): [string, boolean] => [name, half])
  if (bias !== 'none') for (const name of stackNames('bias', bias === 'parts')) bindings.push([name, false])
  if (geluGradient !== 'none') bindings.push(['activationInput', geluGradient === 'half'])
  if (residual) bindings.push(['residual', false])
  if (gelu === 'beside') bindings.push(['activated', half])
  return Object.fromEntries(bindings.map(([name, isHalf]) => [name, elementType(aligned, isHalf)]))
}

/** `finish(row, column, sums)` for four columns from `column` on, of which those past the last are not written. */
export function epilogueFunctions(epilogue: Epilogue): string {
  const { aligned, half, stack, scaling, bias, geluGradient, drops, residual, gelu } = epilogue
  const functions: string[] = []
  const steps: string[] = []
  if (scaling) steps.push('value *= constants.scaling;')
  if (bias !== 'none') {
    const names = stackNames('bias', bias === 'parts')
    for (const name of names) functions.push(reader(name, aligned, false))
    steps.push(forPart(names.map(name => `value += ${name}Four(column);`)))
  }
  if (geluGradient !== 'none') {
    functions.push(geluFunctions, reader('activationInput', aligned, geluGradient === 'half'))
    steps.push(
      'let given = activationInputFour(index);',
      byElement('value *= ', e => `geluGradient(given.${e})`),
    )
  }
  if (drops) {
    functions.push(keepFunction)
    steps.push(byElement('value *= ', (_, i) => `keep(row, index + ${i}u)`))
  }
  if (residual) {
    functions.push(reader('residual', aligned, false))
    steps.push('value += residualFour(index);')
  }
  if (half) functions.push(packHalves)
  if (gelu !== 'none') {
    // GELU of what is written, as if it were read again.
    if (half)
      steps.push(
        'let written = packHalves(value);',
        'value = vec4f(unpack2x16float(written.x), unpack2x16float(written.y));',
      )
    if (geluGradient === 'none') functions.push(geluFunctions)
    steps.push(byElement('let afterGelu = ', e => `gelu(value.${e})`))
  }
  const write = (name: string, value: string): string => {
    if (aligned) return `${name}[at >> 2u] = ${half ? `packHalves(${value})` : value};`
    return `for (var e = 0u; e < min(4u, constants.columns - column); e++) { ${name}[at + e] = ${value}[e]; }`
  }
  const outputs = stackNames('output', stack).map(name => write(name, gelu === 'instead' ? 'afterGelu' : 'value'))
  return `${functions.join('\n')}
fn finish(row: u32, column: u32, sums: vec4f) {
  if (column >= constants.columns) { return; }
  var value = sums;
  let index = row * constants.columns + column;
  let at = row * constants.outputStride + column + part * constants.outputPartStep;
  ${steps.join('\n  ')}
  ${forPart(outputs)}
  ${gelu === 'beside' ? write('activated', 'afterGelu') : ''}
}`
}

/** Four results of a function of one number. */
const byElement = (statement: string, value: (element: string, i: number) => string): string =>
  `${statement}vec4f(${['x', 'y', 'z', 'w'].map(value).join(', ')});`

/** One statement, or that of the part. */
export const forPart = (statements: readonly string[]): string =>
  statements.length === 1
    ? (statements[0] as string)
    : statements.map((statement, part) => `if (part == ${part}u) { ${statement} }`).join(' else ')
