/**
 * The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes without gaps.
 *
 * Files come from strangers, so the reader takes none on trust: every malformed file is refused with an error that names
 * the tensor, before anything is allocated for it. Source: the format's description in huggingface/safetensors.
 */

import { elementsOf } from '../sizes.ts'
import { checksumField } from './checksum.ts'
import { bytesOf, type Dtype, type DtypeArray, dtypes, holds, isDtype, viewAs } from './dtypes.ts'
import { hiddenFault } from './hidden-fault.ts'

export interface SafeTensor {
  dtype: Dtype
  shape: number[]
  /** F16 and BF16 as their bits; `toFloat32` reads them. */
  data: DtypeArray
}

export interface Safetensors {
  tensors: Map<string, SafeTensor>
  metadata: Record<string, string>
}

/** A file that is not safetensors, or a damaged one. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
}

/** The longest header the reference implementation accepts, in bytes. */
const MAX_HEADER = 100_000_000
const PREFIX = 8

interface Entry {
  name: string
  dtype: Dtype
  shape: number[]
  begin: number
  end: number
}

/**
 * Reads a whole file that is in memory. The tensors are views of `bytes`, not copies, where their alignment allows it.
 *
 * @param source what errors call the file
 * @throws SafetensorsError
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors'): Safetensors {
  const headerLength = readHeaderLength(bytes, source)
  const { entries, metadata } = readHeader(bytes.subarray(PREFIX, PREFIX + headerLength), source)
  const data = bytes.subarray(PREFIX + headerLength)
  checkLayout(entries, data.length, source)
  const tensors = new Map<string, SafeTensor>()
  for (const { name, dtype, shape, begin, end } of entries)
    tensors.set(name, { dtype, shape, data: viewAs(dtype, data.subarray(begin, end)) })
  return { tensors, metadata }
}

/**
 * The bytes of a file, in pieces to be written one after the other: widest elements first, then by name, as the
 * reference writer orders them, so that equal tensors give equal files.
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  return serialize(tensors, metadata)
}

/** @param checksum becomes the first field of the metadata */
export function serialize(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Record<string, string>,
  checksum?: string,
): [header: Uint8Array, ...data: Uint8Array[]] {
  if (Object.hasOwn(metadata, checksumField))
    throw new SafetensorsError(`The metadata cannot have '${checksumField}': it is the file's own checksum.`)
  const fields = Object.entries(metadata)
  if (checksum !== undefined) fields.unshift([checksumField, checksum])
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) => dtypes.indexOf(a.dtype) - dtypes.indexOf(b.dtype) || (nameA < nameB ? -1 : 1),
  )
  const header: [name: string, json: string][] = [] // an object would put names such as '0' first
  if (fields.length > 0)
    header.push(['__metadata__', toObject(fields.map(([name, text]) => [name, JSON.stringify(text)]))])
  let offset = 0
  const pieces = ordered.map(([name, { dtype, shape, data }]) => {
    if (name === '__metadata__')
      throw new SafetensorsError(`A tensor cannot be called '__metadata__': the format keeps that name for itself.`)
    if (!holds(dtype, data))
      throw new SafetensorsError(`Tensor '${name}' is ${dtype}, but its data are a ${data.constructor.name}.`)
    const elements = elementsOf(shape)
    if (data.length !== elements)
      throw new SafetensorsError(
        `Tensor '${name}' has ${data.length} elements; its shape [${shape}] needs ${elements}.`,
      )
    header.push([name, JSON.stringify({ dtype, shape, data_offsets: [offset, offset + data.byteLength] })])
    offset += data.byteLength
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  })
  const text = new TextEncoder().encode(toObject(header))
  const padded = new Uint8Array(PREFIX + Math.ceil(text.length / 8) * 8).fill(0x20) // spaces, up to a multiple of eight
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - PREFIX), true)
  padded.set(text, PREFIX)
  return [padded, ...pieces]
}

/** A JSON object with its members in this order. */
const toObject = (members: readonly [name: string, json: string][]): string =>
  `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}`

function readHeaderLength(bytes: Uint8Array, source: string): number {
  if (bytes.length < PREFIX)
    throw new SafetensorsError(`${source} has ${bytes.length} bytes; a safetensors file has at least ${PREFIX}.`)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  if (length > MAX_HEADER)
    throw new SafetensorsError(`${source} says its header has ${length} bytes; at most ${MAX_HEADER} are allowed.`)
  if (Number(length) > bytes.length - PREFIX)
    throw new SafetensorsError(
      `${source} says its header has ${length} bytes, but only ${bytes.length - PREFIX} follow.`,
    )
  return Number(length)
}

function readHeader(bytes: Uint8Array, source: string): { entries: Entry[]; metadata: Record<string, string> } {
  const header = parseHeader(bytes, source)
  let metadata: Record<string, string> = {}
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = readMetadata(value, source)
    else entries.push(readEntry(name, value, source))
  }
  return { entries, metadata }
}

function parseHeader(bytes: Uint8Array, source: string): Record<string, unknown> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SafetensorsError(`The header of ${source} is not UTF-8.`)
  }
  if (!text.startsWith('{')) throw new SafetensorsError(`The header of ${source} does not begin with '{'.`)
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch (error) {
    throw new SafetensorsError(`The header of ${source} is not JSON: ${(error as Error).message}`)
  }
  const fault = hiddenFault(text)
  if (fault) throw new SafetensorsError(`The header of ${source} ${fault}.`)
  return header as Record<string, unknown>
}

function readMetadata(value: unknown, source: string): Record<string, string> {
  const valid = isRecord(value) && Object.values(value).every(text => typeof text === 'string')
  if (!valid) throw new SafetensorsError(`__metadata__ of ${source} is not a map from strings to strings.`)
  return value as Record<string, string>
}

function readEntry(name: string, value: unknown, source: string): Entry {
  const fail = (what: string): never => {
    throw new SafetensorsError(`Tensor '${name}' of ${source} ${what}.`)
  }
  if (!isRecord(value)) return fail('is not described by an object')
  const { dtype, shape, data_offsets: offsets } = value
  if (!isDtype(dtype)) return fail(`has dtype ${JSON.stringify(dtype)}; known are ${dtypes.join(', ')}`)
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(`has shape ${JSON.stringify(shape)}; expected whole numbers, 0 or more`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail(`has data_offsets ${JSON.stringify(offsets)}; expected [begin, end] in bytes`)
  const [begin, end] = offsets as [number, number]
  let bytes = bytesOf(dtype)
  for (const size of shape as number[]) {
    bytes *= size
    if (!Number.isSafeInteger(bytes)) return fail(`has shape [${shape}], whose size is beyond 2^53 bytes`)
  }
  if (end - begin !== bytes)
    return fail(`has data_offsets [${begin}, ${end}], but ${dtype} of shape [${shape}] needs ${bytes} bytes`)
  return { name, dtype, shape: shape as number[], begin, end }
}

/** The tensors must follow one another and fill the data exactly: no overlap, no gap, nothing beyond the end. */
function checkLayout(entries: readonly Entry[], dataLength: number, source: string): void {
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let expected = 0
  for (const { name, begin, end } of inOrder) {
    if (begin < expected) throw new SafetensorsError(`Tensor '${name}' of ${source} overlaps the one before it.`)
    if (begin > expected)
      throw new SafetensorsError(`There is a gap of ${begin - expected} bytes before tensor '${name}' of ${source}.`)
    if (end > dataLength)
      throw new SafetensorsError(
        `Tensor '${name}' of ${source} ends at byte ${end} of ${dataLength}: the file is cut off.`,
      )
    expected = end
  }
  if (expected !== dataLength)
    throw new SafetensorsError(`${source} has ${dataLength - expected} bytes after its last tensor.`)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
