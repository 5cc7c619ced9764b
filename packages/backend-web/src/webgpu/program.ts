/**
 * What one dispatch runs: a program in WGSL, whose head (bindings, constants, entry point) is written from its declaration.
 *
 * Every storage buffer is bound as read_write, since tensors are ranges of shared buffers, and WebGPU lets one dispatch bind a
 * buffer several times only so. The ranges of one dispatch must not overlap, but for inputs that are the same tensor.
 */

/** The element type of a binding, as its array has it; 'f16' needs the feature shader-f16. */
export type ElementType = 'f32' | 'i32' | 'u32' | 'f16' | `vec${2 | 4}<${'f32' | 'f16' | 'u32'}>`

/** The type of a constant. */
export type ConstantType = 'f32' | 'i32' | 'u32'

/** A program. */
export interface Program<Binding extends string = string, Constant extends string = string> {
  /** Unique among all programs, with whatever the text depends on: pipelines are cached by it. */
  readonly name: string
  /** Storage buffers in the order of their bindings, at most eight; each is `array<type>` of that name. */
  readonly bindings: Readonly<Record<Binding, ElementType>>
  /** Numbers that the text reads as `constants.name`, at most 64. */
  readonly constants: Readonly<Record<Constant, ConstantType>>
  /** Lanes of a workgroup. @default DEFAULT_LANES */
  readonly lanes?: number
  /** Features of WGSL that it enables. @default none */
  readonly enable?: readonly ('f16' | 'subgroups')[]
  /** Functions, and variables of the workgroup. @default none */
  readonly declarations?: string
  /**
   * The text of the entry point. It knows `lane` (u32, in the workgroup), `group` (u32, the workgroup's number in x and y, which
   * may go beyond the number asked for, so that the text returns then), `groupId` (vec3<u32>), and with subgroups
   * `subgroupLane` and `subgroupSize`.
   */
  readonly body: string
}

/** The storage buffers that every device can bind at once. */
export const MOST_BINDINGS = 8

/** Lanes of a workgroup: what a GPU runs together, or twice that. */
export const DEFAULT_LANES = 64

/** Bytes of a program's constants. */
export const CONSTANT_BYTES = 256

/** Declares a program; see Program. */
export function program<Binding extends string, Constant extends string>(
  declared: Program<Binding, Constant>,
): Program<Binding, Constant> {
  const { name, bindings, constants } = declared
  if (Object.keys(bindings).length > MOST_BINDINGS)
    throw new Error(`The program ${name} binds more than ${MOST_BINDINGS} buffers.`)
  if (Object.keys(constants).length * 4 > CONSTANT_BYTES)
    throw new Error(`The program ${name} has more than ${CONSTANT_BYTES / 4} constants.`)
  return declared
}

/** The programs of a family, each made once for a kind, which is plain data. */
export function programFamily<Kind extends unknown[], Binding extends string, Constant extends string>(
  make: (...kind: Kind) => Program<Binding, Constant>,
): (...kind: Kind) => Program<Binding, Constant> {
  const made = new Map<string, Program<Binding, Constant>>()
  return (...kind) => {
    const key = JSON.stringify(kind)
    const known = made.get(key)
    if (known) return known
    const found = make(...kind)
    made.set(key, found)
    return found
  }
}

/** The whole text of a program. */
export function textOf({
  bindings,
  constants,
  lanes = DEFAULT_LANES,
  enable = [],
  declarations = '',
  body,
}: Program): string {
  const storage = Object.entries(bindings).map(
    ([name, type], i) => `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${type}>;`,
  )
  const fields = Object.entries(constants).map(([name, type]) => `${name}: ${type},`)
  const uniform = `@group(0) @binding(${storage.length}) var<uniform> constants: Constants;`
  const subgroups = enable.includes('subgroups')
    ? '@builtin(subgroup_invocation_id) subgroupLane: u32, @builtin(subgroup_size) subgroupSize: u32,'
    : ''
  return `
${enable.map(feature => `enable ${feature};`).join('\n')}
${storage.join('\n')}
${fields.length > 0 ? `struct Constants { ${fields.join(' ')} }\n${uniform}` : ''}
const LANES = ${lanes}u;
${declarations}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) groupId: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, ${subgroups}
        @builtin(local_invocation_index) lane: u32) {
  let group = groupId.y * groups.x + groupId.x;
  ${body}
}`
}

/** Workgroups in x, y and z. */
export type Workgroups = readonly [x: number, y: number, z: number]

/** So many workgroups, in x alone or, where they are too many for it, in x and y; the last row may go beyond. */
export function flatWorkgroups(
  count: number,
  { maxComputeWorkgroupsPerDimension: most }: GPUSupportedLimits,
): Workgroups {
  if (count <= most) return [count, 1, 1]
  const rows = Math.ceil(count / most)
  if (rows > most)
    throw new Error(`${count} workgroups are too many; this device runs at most ${most} × ${most} at once.`)
  return [Math.ceil(count / rows), rows, 1]
}
