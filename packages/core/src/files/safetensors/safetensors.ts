/**
 * The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes without gaps.
 *
 * Files come from strangers, so the reader takes none on trust: every malformed file is refused with an error that names
 * the tensor, before anything is allocated for it. Source: the format's description in huggingface/safetensors.
 */

import { elementsOf } from '../../sizes.ts'
import { shortText } from '../../text.ts'
import { checksumField } from '../hub/checksum.ts'
import { type Dtype, type DtypeArray, dtypes, holds, viewAs } from './dtypes.ts'
import { type Entry, readHeader, SafetensorsError } from './safetensors-header.ts'

/** One tensor: row-major values and their shape. */
export interface SafeTensor {
  /** Dtype in the file. */
  dtype: Dtype
  /** Lengths of the dimensions. */
  shape: number[]
  /** F16 and BF16 as their bits; `toFloat32` reads them. */
  data: DtypeArray
}

/** Named tensors and the metadata of a safetensors file (Hugging Face). */
export interface Safetensors {
  /** Tensors by name. */
  tensors: Map<string, SafeTensor>
  /** The header's __metadata__. */
  metadata: Record<string, string>
}

/** The longest header the reference implementation accepts, in bytes. */
const MAX_HEADER = 100_000_000
const PREFIX = 8

/**
 * Reads a whole file that is in memory. The tensors are views of `bytes`, not copies, where their alignment allows it.
 *
 * @param source what errors call the file
 * @throws SafetensorsError
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors'): Safetensors {
  const headerEnd = headerEndOf(bytes, bytes.length, source)
  const { entries, metadata } = parseHeader(bytes.subarray(0, headerEnd), bytes.length, source)
  const data = bytes.subarray(headerEnd)
  const tensors = new Map<string, SafeTensor>()
  for (const { name, dtype, shape, begin, end } of entries)
    tensors.set(name, { dtype, shape, data: viewAs(dtype, data.subarray(begin, end)) })
  return { tensors, metadata }
}

/**
 * Where a file's header ends, in bytes.
 *
 * @param beginning the file's first eight bytes, or more
 * @param size bytes of the whole file
 * @throws SafetensorsError when it has no such place
 */
export function headerEndOf(beginning: Uint8Array, size: number, source: string): number {
  if (size < PREFIX)
    throw new SafetensorsError(`${source} has ${size} bytes; a safetensors file has at least ${PREFIX}.`)
  const length = new DataView(beginning.buffer, beginning.byteOffset).getBigUint64(0, true)
  if (length > MAX_HEADER)
    throw new SafetensorsError(`${source} says its header has ${length} bytes; at most ${MAX_HEADER} are allowed.`)
  if (Number(length) > size - PREFIX)
    throw new SafetensorsError(`${source} says its header has ${length} bytes, but only ${size - PREFIX} follow.`)
  return PREFIX + Number(length)
}

/**
 * What a file's header says, and that the tensors it names fill the file.
 *
 * @param beginning the file's bytes up to the header's end
 * @param size bytes of the whole file
 * @throws SafetensorsError
 */
export function parseHeader(
  beginning: Uint8Array,
  size: number,
  source: string,
): { entries: Entry[]; metadata: Record<string, string> } {
  const header = readHeader(beginning.subarray(PREFIX), source)
  checkLayout(header.entries, size - beginning.length, source)
  return header
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

/** The tensors must follow one another and fill the data exactly: no overlap, no gap, nothing beyond the end. */
function checkLayout(entries: readonly Entry[], dataLength: number, source: string): void {
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let expected = 0
  for (const { name, begin, end } of inOrder) {
    if (begin < expected)
      throw new SafetensorsError(`Tensor '${shortText(name)}' of ${source} overlaps the one before it.`)
    if (begin > expected)
      throw new SafetensorsError(
        `There is a gap of ${begin - expected} bytes before tensor '${shortText(name)}' of ${source}.`,
      )
    if (end > dataLength)
      throw new SafetensorsError(
        `Tensor '${shortText(name)}' of ${source} ends at byte ${end} of ${dataLength}: the file is cut off.`,
      )
    expected = end
  }
  if (expected !== dataLength)
    throw new SafetensorsError(`${source} has ${dataLength - expected} bytes after its last tensor.`)
}
