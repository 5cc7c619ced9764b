/**
 * What the WebAssembly module imports: the one object that a call is made with, read by name. The other side is
 * packages/backend-node/native/wasm/host.h; what is checked here, and in which words, is what the addon checks.
 */
import { outOfMemory } from './out-of-memory.ts'

const dtypes = ['float32', 'bfloat16', 'int8']

/** Anything that is not null: kernels take an empty array for one that is there. */
const EMPTY = 64

type Properties = Record<string, unknown>

export class CallReader {
  readonly imports: Record<string, (...args: number[]) => number | undefined>
  /** Memory for a copy of an array that is not in the module's memory; set once there is a module. */
  allocateCopy: (bytes: number) => number = () => 0

  readonly #memory: WebAssembly.Memory
  /** Every buffer that the memory has had: all of them show the same bytes. */
  readonly #buffers = new Set<ArrayBufferLike>()
  readonly #names = new Map<number, string>()
  /** The call, and what is inside it, by the numbers that the module knows them by. */
  #objects: { value: Properties | Float32Array[]; prefix: string }[] = []
  #copies: number[] = []
  #answer: unknown

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    this.imports = {
      object: (object, name) => this.#object(object, this.#name(name)),
      number: (object, name) => this.#typed(object, name, 'number'),
      flag: (object, name) => Number(this.#typed(object, name, 'boolean')),
      dtype: (object, name) => this.#dtype(object, this.#name(name)),
      floats: (object, name, count, orNull, orWords) =>
        this.#floats(object, this.#name(name), { count, orNull, orWords }),
      ints: (object, name, count) => this.#ints(object, this.#name(name), count),
      array: (object, name) => this.#array(object, this.#name(name)),
      length: array => this.#list(array).length,
      entry: (array, name, i, count) => this.#address(this.#list(array)[i], this.#name(name), '', count),
      entryLength: (array, i) => this.#list(array)[i]?.length ?? 0,
      answer: (kind, value) => this.#setAnswer(kind, value),
      fail: (object, name, what) => this.#fail(this.#prefixOf(object), name ? this.#name(name) : '', this.#text(what)),
      failNumber: (object, name, number, expected) =>
        this.#fail(this.#prefixOf(object), this.#name(name), `is ${number}; expected ${this.#text(expected)}`),
      outOfMemory: bytes => {
        throw outOfMemory(bytes, memory)
      },
      now: () => performance.now(),
    } as Record<string, (...args: number[]) => number | undefined>
  }

  get answer(): unknown {
    return this.#answer
  }

  begin(call: object): void {
    this.#objects = [{ value: call as Properties, prefix: '' }]
    this.#answer = undefined
  }

  /** @returns the addresses of the copies that the call was given */
  end(): number[] {
    const copies = this.#copies
    if (copies.length > 0) this.#copies = []
    this.#objects = []
    return copies
  }

  /** The buffer of the whole memory, whose arrays are known from now on. */
  currentBuffer(): ArrayBufferLike {
    const { buffer } = this.#memory
    this.#buffers.add(buffer)
    return buffer
  }

  #object(object: number, name: string): number {
    const value = this.#get(object, name)
    if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
      this.#fail(this.#prefixOf(object), name, 'is not an object')
    return this.#objects.push({ value: value as Properties, prefix: `${this.#prefixOf(object)}${name}.` }) - 1
  }

  #typed(object: number, address: number, type: 'number' | 'boolean'): number {
    const name = this.#name(address)
    const value = this.#get(object, name)
    if (typeof value !== type)
      this.#fail(this.#prefixOf(object), name, type === 'number' ? 'is not a number' : 'is not true or false')
    return value as number
  }

  #dtype(object: number, name: string): number {
    const index = dtypes.indexOf(this.#get(object, name) as string)
    if (index < 0) this.#fail(this.#prefixOf(object), name, "is not 'float32', 'bfloat16' or 'int8'")
    return index
  }

  #floats(object: number, name: string, { count, orNull, orWords }: Record<'count' | 'orNull' | 'orWords', number>) {
    const value = this.#get(object, name)
    if (orNull && (value === null || value === undefined)) return 0
    const prefix = this.#prefixOf(object)
    if (orWords && value instanceof Uint16Array) return this.#addressIn(value, name, prefix, count) + 1
    return this.#address(value, name, prefix, count, orWords ? 'Float32Array, nor a Uint16Array' : 'Float32Array')
  }

  #ints(object: number, name: string, count: number): number {
    const value = this.#get(object, name)
    if (value === null || value === undefined) return 0
    if (!(value instanceof Int32Array)) this.#fail(this.#prefixOf(object), name, 'is not a Int32Array')
    return this.#addressIn(value as Int32Array, name, this.#prefixOf(object), count)
  }

  #array(object: number, name: string): number {
    const value = this.#get(object, name)
    if (!Array.isArray(value)) this.#fail(this.#prefixOf(object), name, 'is not an array')
    return this.#objects.push({ value: value as Float32Array[], prefix: '' }) - 1
  }

  #address(value: unknown, name: string, prefix: string, count: number, kind = 'Float32Array'): number {
    if (!(value instanceof Float32Array)) this.#fail(prefix, name, `is not a ${kind}`)
    return this.#addressIn(value as Float32Array, name, prefix, count)
  }

  /** An array of another memory is an input, since outputs are allocated here: a copy of it will do. */
  #addressIn(array: Float32Array | Uint16Array | Int32Array, name: string, prefix: string, count: number): number {
    if (count >= 0 && array.length !== count)
      this.#fail(prefix, name, `has ${array.length} elements; expected ${count}`)
    if (array.length === 0) return EMPTY
    if (this.#buffers.has(array.buffer)) return array.byteOffset
    const address = this.allocateCopy(array.byteLength)
    this.#copies.push(address)
    new Uint8Array(this.#memory.buffer, address, array.byteLength).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    )
    return address
  }

  /** One answer, or several of a list. */
  #setAnswer(kind: number, value: number): undefined {
    if (kind === 0) this.#answer = value
    else if (kind === 1) this.#answer = value !== 0
    else this.#answer = [...((this.#answer as number[] | undefined) ?? []), value]
    return undefined
  }

  #get(object: number, name: string): unknown {
    const { value } = this.#objects[object] as { value: Properties }
    return value[name]
  }

  #list(array: number): Float32Array[] {
    return this.#objects[array]?.value as Float32Array[]
  }

  #prefixOf(object: number): string {
    return this.#objects[object]?.prefix ?? ''
  }

  /** A name that is written in the module, always at one address. */
  #name(address: number): string {
    const known = this.#names.get(address)
    if (known !== undefined) return known
    const name = this.#text(address)
    this.#names.set(address, name)
    return name
  }

  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer, address >>> 0)
    let text = ''
    for (let i = 0; bytes[i]; i++) text += String.fromCharCode(bytes[i] as number)
    return text
  }

  #fail(prefix: string, name: string, what: string): never {
    throw new TypeError(name ? `${prefix}${name} ${what}` : what)
  }
}
