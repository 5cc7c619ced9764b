/**
 * Dispatches over all tensors of a model at once. They lie in a few chunks of memory, which one dispatch binds whole; a table
 * tells where each tensor is. Every workgroup takes a tile of one tensor.
 */
import type { WebgpuBackend } from './backend.ts'
import type { Range } from './memory.ts'
import { type ConstantType, DEFAULT_LANES, MOST_BINDINGS, type Program, program } from './program.ts'

/** Elements of a tile: each lane takes four at a time, sixteen times. */
const TILE = DEFAULT_LANES * 4 * 16

/** A program over lists of tensors: in each, tensor i has as many elements as tensor i of the others. */
export interface ListProgram<Role extends string, Constant extends string> {
  readonly roles: readonly Role[]
  readonly program: Program<string, Constant | keyof typeof placeConstants>
  readonly chunks: number
}

const placeConstants = { count: 'u32', tiles: 'u32', firstTile: 'u32' } as const

/** What a list program is declared with. */
export interface ListProgramText<Role extends string, Constant extends string> {
  name: string
  /** The lists, such as parameters and gradients. */
  roles: readonly Role[]
  constants: Readonly<Record<Constant, ConstantType>>
  declarations?: string
  /** Comes before the loop over the tile. */
  before?: string
  /**
   * Runs for each four elements, numbered `vector` in their tensor, of which `valid` (vec4<bool>) are its own; `read` and
   * `write` write the access to a list.
   */
  each: (read: (role: Role) => string, write: (role: Role, value: string) => string) => string
  /** The text whose result, the same in all lanes, a tile leaves in `partials`. */
  partial?: string
}

/** Declares a program over lists of tensors. */
export function listProgram<Role extends string, Constant extends string>(
  text: ListProgramText<Role, Constant>,
): ListProgram<Role, Constant> {
  const { name, roles, constants, declarations = '', before = '', each, partial } = text
  const chunks = MOST_BINDINGS - (partial ? 2 : 1)
  const slots = Array.from({ length: chunks }, (_, slot) => slot)
  const words = 2 + 2 * roles.length
  const cases = (run: (slot: number) => string) =>
    slots.map(slot => `${slot < chunks - 1 ? `case ${slot}u` : 'default'}: { ${run(slot)} }`).join(' ')
  const read = (role: Role) => `load(${role}Chunk, ${role}Start + vector)`
  const write = (role: Role, value: string) => `store(${role}Chunk, ${role}Start + vector, ${value});`
  const bindings = {
    table: 'u32',
    ...(partial && { partials: 'f32' }),
    ...Object.fromEntries(slots.map(slot => [`chunk${slot}`, 'vec4<f32>'])),
  } as Record<string, 'u32' | 'f32' | 'vec4<f32>'>
  const places = roles.map(
    (role, i) => `let ${role}Chunk = table[entry + ${2 + 2 * i}]; let ${role}Start = table[entry + ${3 + 2 * i}];`,
  )
  return {
    roles,
    chunks,
    program: program({
      name,
      bindings,
      constants: { ...placeConstants, ...constants },
      declarations: `
fn load(chunk: u32, at: u32) -> vec4<f32> { switch (chunk) { ${cases(slot => `return chunk${slot}[at];`)} } }
fn store(chunk: u32, at: u32, value: vec4<f32>) { switch (chunk) { ${cases(slot => `chunk${slot}[at] = value;`)} } }
${declarations}`,
      body: `
  if (group >= constants.tiles) { return; }
  var low = 0u;
  var high = constants.count;
  while (high - low > 1u) {
    let middle = (low + high) / 2;
    if (table[middle * ${words}] <= group) { low = middle; } else { high = middle; }
  }
  let entry = low * ${words};
  let size = table[entry + 1];
  ${places.join('\n  ')}
  ${before}
  for (var i = 0u; i < ${TILE / 4}u; i += LANES) {
    let vector = (group - table[entry]) * ${TILE / 4} + i + lane;
    if (4 * vector >= size) { break; }
    let valid = 4 * vector + vec4(0u, 1u, 2u, 3u) < vec4(size);
    ${each(read, write)}
  }
  ${partial ? `let partial = ${partial};\n  if (lane == 0u) { partials[constants.firstTile + group] = partial; }` : ''}`,
    }),
  }
}

/** Memory for the partial results of a program over tensors of these sizes, while `use` records what writes and reads them. */
export function withPartials(
  { recorder }: WebgpuBackend,
  sizes: readonly number[],
  use: (partials: Range, tiles: number) => void,
): void {
  const tiles = sizes.reduce((sum, size) => sum + Math.ceil(size / TILE), 0)
  const partials = recorder.sideMemory.acquire(4 * tiles)
  use(partials, tiles)
  recorder.sideMemory.release(partials)
}

/** Tensors that one dispatch reaches. */
interface Batch {
  chunks: Range[]
  table: number[]
  tiles: number
  count: number
}

/** Runs a program over lists of tensors, in one dispatch where their chunks can be bound at once. */
export function dispatchOverLists<Role extends string, Constant extends string>(
  backend: WebgpuBackend,
  { program, roles, chunks }: ListProgram<Role, Constant>,
  lists: Readonly<Record<Role, readonly Range[]>>,
  sizes: readonly number[],
  constants: Readonly<Record<Constant, number>>,
  partials?: Range,
): void {
  let firstTile = 0
  const rows = sizes.map((size, i) => ({ size, ranges: roles.map(role => lists[role][i] as Range) }))
  for (const [i, batch] of batchesOf(rows, chunks).entries()) {
    const { count, tiles } = batch
    const ranges: Record<string, Range | undefined> = { table: tableOf(backend, `${program.name} ${i}`, batch.table) }
    for (const [slot, chunk] of batch.chunks.entries()) ranges[`chunk${slot}`] = chunk
    backend.dispatch(program, { partials, ...ranges }, { ...constants, count, tiles, firstTile } as never, tiles)
    firstTile += tiles
  }
}

function batchesOf(rows: readonly { size: number; ranges: readonly Range[] }[], most: number): Batch[] {
  const batches: Batch[] = []
  let numbers = new Map<number, number>()
  for (const { size, ranges } of rows) {
    if (size === 0) continue
    const added = new Set(ranges.map(({ chunk }) => chunk).filter(chunk => !numbers.has(chunk)))
    if (batches.length === 0 || numbers.size + added.size > most) {
      batches.push({ chunks: [], table: [], tiles: 0, count: 0 })
      numbers = new Map()
    }
    const batch = batches.at(-1) as Batch
    for (const { buffer, chunk } of ranges)
      if (!numbers.has(chunk)) {
        numbers.set(chunk, numbers.size)
        batch.chunks.push({ buffer, chunk, offset: 0, size: buffer.size })
      }
    batch.table.push(batch.tiles, size)
    for (const { chunk, offset } of ranges) batch.table.push(numbers.get(chunk) as number, offset / 16)
    batch.tiles += Math.ceil(size / TILE)
    batch.count++
  }
  return batches
}

const tables = new WeakMap<WebgpuBackend, Map<string, { words: Uint32Array; range: Range }>>()

/** The table on the device: steps that repeat find the last one's. */
function tableOf(backend: WebgpuBackend, name: string, numbers: readonly number[]): Range {
  const { recorder } = backend
  const own = tables.get(backend) ?? new Map<string, { words: Uint32Array; range: Range }>()
  tables.set(backend, own)
  const known = own.get(name)
  if (known && known.words.length === numbers.length && numbers.every((number, i) => number === known.words[i]))
    return known.range
  const words = Uint32Array.from(numbers)
  const range = recorder.sideMemory.acquire(words.byteLength)
  recorder.upload(range, words)
  if (known) recorder.sideMemory.release(known.range)
  own.set(name, { words, range })
  return range
}
