/**
 * Python's pickles of PyTorch checkpoints, read without running anything: the few opcodes of tables of tensors, and every
 * other refused by name. Source: pickletools.py for the opcodes, torch/_utils.py for what rebuilds tensors.
 */
import { shortText } from '../../text.ts'
import type { Dtype } from '../safetensors/dtypes.ts'
import type { StoredArray } from './array-weights.ts'

/** A storage by its key in the archive. */
interface Storage {
  key: string
  dtype: Dtype
}

/** The functions and classes of Python that a table of tensors names. */
const storages: Readonly<Record<string, Dtype>> = {
  'torch.FloatStorage': 'F32',
  'torch.DoubleStorage': 'F64',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
}

class Name {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const MARK = Symbol('mark')

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Tensors by their names, from the pickle of a flat table.
 *
 * @param source what errors call it
 * @throws naming an opcode or a Python name that is not of tables of tensors: such a file asks for code to be run
 */
export function tensorsOfPickle(bytes: Uint8Array, source: string): Map<string, StoredArray> {
  const table = new Unpickler(bytes, source).load()
  const found = new Map<string, StoredArray>()
  if (table instanceof Map)
    for (const [name, value] of table) if (typeof name === 'string' && isArray(value)) found.set(name, value)
  if (found.size === 0)
    throw new Error(`${source} holds no table of tensors; expected a state_dict that torch.save wrote.`)
  return found
}

const isArray = (value: unknown): value is StoredArray =>
  typeof value === 'object' && value !== null && 'member' in value

class Unpickler {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #source: string
  readonly #stack: unknown[] = []
  readonly #memo = new Map<number, unknown>()
  #at = 0

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#source = source
  }

  load(): unknown {
    for (;;) {
      const opcode = this.#take(1)[0] as number
      if (opcode === 0x2e) return this.#pop() // STOP
      const run = Unpickler.#opcodes[opcode]
      if (!run)
        throw this.#error(
          `has the opcode 0x${opcode.toString(16).padStart(2, '0')}, which no table of tensors needs; Vitral runs no code of files`,
        )
      run(this)
    }
  }

  #error(what: string): Error {
    return new Error(`${this.#source} ${what}.`)
  }

  #take(length: number): Uint8Array {
    const begin = this.#at
    this.#at += length
    if (length < 0 || this.#at > this.#bytes.length) throw this.#error('is cut off')
    return this.#bytes.subarray(begin, this.#at)
  }

  #number(length: 1 | 2 | 4): number {
    const begin = this.#at
    this.#take(length)
    if (length === 1) return this.#view.getUint8(begin)
    return length === 2 ? this.#view.getUint16(begin, true) : this.#view.getInt32(begin, true)
  }

  #text(length: number): string {
    return decoder.decode(this.#take(length))
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) throw this.#error('is cut off')
    const line = this.#text(end - this.#at)
    this.#at = end + 1
    return line
  }

  #push(value: unknown): void {
    this.#stack.push(value)
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw this.#error('takes more values than it has')
    return this.#stack.pop()
  }

  #popToMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK)
    if (at < 0) throw this.#error('has no mark where one is expected')
    const values = this.#stack.splice(at)
    return values.slice(1)
  }

  #top(): unknown {
    return this.#stack.at(-1)
  }

  #named(name: string): void {
    this.#push(new Name(name))
  }

  #setItems(items: readonly unknown[]): void {
    const table = this.#top()
    if (!(table instanceof Map)) throw this.#error('fills what is no dictionary')
    for (let i = 0; i + 1 < items.length; i += 2) table.set(items[i], items[i + 1])
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw this.#error('appends to what is no list')
    for (const item of items) list.push(item)
  }

  /** What a storage's persistent id says: ('storage', class, key, device, length). */
  #storage(): void {
    const id = this.#pop()
    const [kind, type, key] = Array.isArray(id) ? id : []
    const name = type instanceof Name ? type.name : ''
    if (kind !== 'storage' || typeof key !== 'string' || !Object.hasOwn(storages, name))
      throw this.#error(`asks for a storage of ${shortText(name) || 'no class'}; expected one of numbers`)
    this.#push({ key, dtype: storages[name] } satisfies Partial<Storage>)
  }

  /** The result of a call, of which three are understood; everything else would be Python code. */
  #called(): unknown {
    const [args, callee] = [this.#pop(), this.#pop()]
    const name = callee instanceof Name ? callee.name : 'a value'
    const values = Array.isArray(args) ? args : []
    if (name === 'collections.OrderedDict') return new Map()
    if (name === 'torch._utils._rebuild_parameter') return values[0]
    if (name !== 'torch._utils._rebuild_tensor_v2')
      throw this.#error(
        `asks Python to call ${shortText(name)}; Vitral runs no code of files. If you trust it, save it again in Python as safetensors`,
      )
    const [storage, offset, shape, strides] = values as [Storage, number, number[], number[]]
    const counts = [shape, strides].every(list => Array.isArray(list) && list.every(Number.isSafeInteger))
    if (!counts || shape.length !== strides.length || !Number.isSafeInteger(offset) || typeof storage?.key !== 'string')
      throw this.#error('has a tensor whose offset, shape or strides are no whole numbers')
    return { member: storage.key, dtype: storage.dtype, offset, shape, strides } satisfies StoredArray
  }

  static readonly #opcodes: Readonly<Record<number, (u: Unpickler) => unknown>> = {
    128: u => u.#take(1), // PROTO
    149: u => u.#take(8), // FRAME
    40: u => u.#push(MARK), // MARK
    48: u => u.#pop(), // POP
    78: u => u.#push(null), // NONE
    136: u => u.#push(true), // NEWTRUE
    137: u => u.#push(false), // NEWFALSE
    74: u => u.#push(u.#number(4)), // BININT
    75: u => u.#push(u.#number(1)), // BININT1
    77: u => u.#push(u.#number(2)), // BININT2
    138: u => u.#push(littleEndian(u.#take(u.#number(1)))), // LONG1
    71: u => u.#push(new DataView(u.#take(8).slice().buffer).getFloat64(0)), // BINFLOAT
    88: u => u.#push(u.#text(u.#number(4))), // BINUNICODE
    140: u => u.#push(u.#text(u.#number(1))), // SHORT_BINUNICODE
    41: u => u.#push([]), // EMPTY_TUPLE
    93: u => u.#push([]), // EMPTY_LIST
    125: u => u.#push(new Map()), // EMPTY_DICT
    133: u => u.#push([u.#pop()]), // TUPLE1
    134: u => u.#push([u.#pop(), u.#pop()].reverse()), // TUPLE2
    135: u => u.#push([u.#pop(), u.#pop(), u.#pop()].reverse()), // TUPLE3
    116: u => u.#push(u.#popToMark()), // TUPLE
    108: u => u.#push(u.#popToMark()), // LIST
    97: u => u.#append([u.#pop()]), // APPEND
    101: u => u.#append(u.#popToMark()), // APPENDS
    115: u => u.#setItems([u.#pop(), u.#pop()].reverse()), // SETITEM
    117: u => u.#setItems(u.#popToMark()), // SETITEMS
    113: u => u.#memo.set(u.#number(1), u.#top()), // BINPUT
    114: u => u.#memo.set(u.#number(4), u.#top()), // LONG_BINPUT
    148: u => u.#memo.set(u.#memo.size, u.#top()), // MEMOIZE
    104: u => u.#push(u.#memo.get(u.#number(1))), // BINGET
    106: u => u.#push(u.#memo.get(u.#number(4))), // LONG_BINGET
    99: u => u.#named(`${u.#line()}.${u.#line()}`), // GLOBAL
    147: u => u.#named([u.#pop(), u.#pop()].reverse().join('.')), // STACK_GLOBAL
    81: u => u.#storage(), // BINPERSID
    82: u => u.#push(u.#called()), // REDUCE
    98: u => u.#pop(), // BUILD: of an OrderedDict its _metadata, versions of modules
  }
}

function littleEndian(bytes: Uint8Array): number {
  let value = 0n
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i)
  return Number(BigInt.asIntN(Math.max(8, 8 * bytes.length), value))
}
