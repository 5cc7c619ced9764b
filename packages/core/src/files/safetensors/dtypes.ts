/** The element types of a safetensors file: their sizes, their arrays, and their values as float32. */

export type Dtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'

/** Typed array that holds the values of a dtype, little-endian as in the file. */
export type DtypeArray =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | BigUint64Array
  | Uint32Array
  | Uint8Array

interface ArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): DtypeArray
}

/**
 * Widest elements first, as the format's reference writer orders tensors, so that every one is aligned. F16 and BF16 have
 * no array type in JavaScript of this age, so theirs hold the bits.
 */
const arrays: Record<Dtype, ArrayConstructor> = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  BF16: Uint16Array,
  F16: Uint16Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
}

/** In the order in which tensors are written. */
export const dtypes: readonly Dtype[] = Object.keys(arrays) as Dtype[]

export const isDtype = (name: unknown): name is Dtype => typeof name === 'string' && Object.hasOwn(arrays, name)

/** Whether an array can hold the type's elements. */
export const holds = (dtype: Dtype, data: DtypeArray): boolean => data instanceof arrays[dtype]

/** Bytes of one element. */
export const bytesOf = (dtype: Dtype): number => arrays[dtype].BYTES_PER_ELEMENT

/** The bytes as an array of the type: a view where the alignment allows it, else a copy. */
export function viewAs(dtype: Dtype, bytes: Uint8Array): DtypeArray {
  const size = bytesOf(dtype)
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes) // not slice(), which on a Buffer copies nothing
  return new arrays[dtype](aligned.buffer, aligned.byteOffset, aligned.byteLength / size)
}

/**
 * Any tensor's values in float32: F16 and BF16 exactly, F64 and wide integers rounded.
 *
 * @returns the array itself when it is F32
 */
export function toFloat32({ dtype, data }: { dtype: Dtype; data: DtypeArray }): Float32Array {
  if (data instanceof Float32Array) return data
  const values = new Float32Array(data.length)
  writeFloat32({ dtype, data }, values)
  return values
}

/** The same, into an array of so many elements. */
export function writeFloat32({ dtype, data }: { dtype: Dtype; data: DtypeArray }, values: Float32Array): void {
  if (data instanceof Float32Array) {
    values.set(data)
  } else if (dtype === 'BF16') {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length) // bfloat16 is the upper half of a float32
    for (let i = 0; i < data.length; i++) bits[i] = (data[i] as number) << 16
  } else if (dtype === 'F16') {
    halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromHalf(bits))
    for (let i = 0; i < data.length; i++) values[i] = halves[data[i] as number] as number
  } else {
    for (let i = 0; i < data.length; i++) values[i] = Number(data[i])
  }
}

/** The types that weights are written in, by torch's names. */
export type WeightDtype = 'float32' | 'float16' | 'bfloat16'

const files = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const satisfies Record<WeightDtype, Dtype>

/** Formats in which weights can be written. */
export const weightDtypes: readonly WeightDtype[] = Object.keys(files) as WeightDtype[]

/**
 * float32 values as another type's, rounded to the nearest, of two to the even one, as torch's `to` does.
 *
 * @returns for F32 the array itself
 */
export function fromFloat32(values: Float32Array, dtype: WeightDtype): { dtype: Dtype; data: DtypeArray } {
  if (dtype === 'float32') return { dtype: files[dtype], data: values }
  const round = dtype === 'float16' ? toHalf : toBfloat16
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  return { dtype: files[dtype], data: Uint16Array.from(bits, round) }
}

/** A quiet not-a-number stays one. */
function toBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

function toHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return sign | 0x7e00
  // From 65520 on the nearest is infinity; 2 ** -14 is the smallest normal value.
  if (size >= 0x477ff000) return sign | 0x7c00
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
  // Below it halves are multiples of 2 ** -24: with 0.5 added, whose last bit is worth that, float32 rounds to them.
  shared[0] = 0
  sharedBits[0] = size
  shared[0] = (shared[0] as number) + 0.5
  return sign | ((sharedBits[0] as number) - 0x3f000000)
}

const shared = new Float32Array(1)
const sharedBits = new Uint32Array(shared.buffer)

/** Every half-precision value by its bits, made when first needed: millions of weights are read through it. */
let halves: Float32Array | undefined

/** IEEE 754 binary16: one sign, five exponent and ten fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
