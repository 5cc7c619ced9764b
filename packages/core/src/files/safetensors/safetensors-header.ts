/**
 * The header of a safetensors file: one JSON object of small ones. It is walked member by member, and only the few
 * characters that describe one tensor are parsed at once, so that a stranger's header costs time and memory by its length
 * and never by what it nests.
 */

import { isInteger } from '../../check.ts'
import { shortText } from '../../text.ts'
import { describeValue } from '../fields.ts'
import { bytesOf, type Dtype, dtypes, isDtype } from './dtypes.ts'

/** A file that is not safetensors, or a damaged one. */
export class SafetensorsError extends Error {
  /** Name of the error's class. */
  override readonly name = 'SafetensorsError'
}

export interface Entry {
  name: string
  dtype: Dtype
  shape: number[]
  begin: number
  end: number
}

/** More than the largest models have in one file. */
const MOST_MEMBERS = 2 ** 17
/** What describes a tensor: a dtype, two offsets and a shape of any rank that a program has. */
const MOST_CHARACTERS = 4096

type Fail = (what: string) => never

/** @throws SafetensorsError naming the tensor */
export function readHeader(bytes: Uint8Array, source: string): { entries: Entry[]; metadata: Record<string, string> } {
  const text = decode(bytes, source)
  const fail: Fail = what => {
    throw new SafetensorsError(`The header of ${source} ${what}.`)
  }
  if (!text.startsWith('{')) fail("does not begin with '{'")
  let metadata: Record<string, string> = {}
  const entries: Entry[] = []
  const end = walk(text, 0, fail, (name, start) => {
    if (name === '__metadata__') {
      const read = readMetadata(text, start, source, fail)
      metadata = read.metadata
      return read.end
    }
    const end = valueEnd(text, start, start + MOST_CHARACTERS, fail)
    if (end === undefined)
      throw new SafetensorsError(
        `Tensor '${shortText(name)}' of ${source} is described by more than ${MOST_CHARACTERS} characters.`,
      )
    entries.push(readEntry(name, text.slice(start, end), source, fail))
    return end
  })
  if (skipSpace(text, end) < text.length) fail('is not JSON: something follows its end')
  return { entries, metadata }
}

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SafetensorsError(`The header of ${source} is not UTF-8.`)
  }
}

function readMetadata(text: string, start: number, source: string, fail: Fail) {
  const noMap = (): never => {
    throw new SafetensorsError(`__metadata__ of ${source} is not a map from strings to strings.`)
  }
  if (text[start] !== '{') noMap()
  const fields: [string, string][] = []
  const end = walk(text, start, fail, (key, value) => {
    if (text[value] !== '"') noMap()
    const after = stringEnd(text, value, fail)
    fields.push([key, parse(text.slice(value, after), fail) as string])
    return after
  })
  return { metadata: Object.fromEntries(fields), end }
}

function readEntry(name: string, description: string, source: string, failHeader: Fail): Entry {
  const fail: Fail = what => {
    throw new SafetensorsError(`Tensor '${shortText(name)}' of ${source} ${what}.`)
  }
  const value = parse(description, failHeader)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('is not described by an object')
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>
  walk(description, 0, failHeader, (field, start) => {
    const end = valueEnd(description, start, description.length, failHeader) as number
    if (field === 'shape' || field === 'data_offsets')
      checkDigits(description.slice(start, end), field, name, failHeader)
    return end
  })
  if (!isDtype(dtype))
    return fail(`has dtype ${dtype === undefined ? dtype : describeValue(dtype)}; known are ${dtypes.join(', ')}`)
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(`has shape ${describeValue(shape)}; expected whole numbers, 0 or more`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail(`has data_offsets ${describeValue(offsets)}; expected [begin, end] in bytes`)
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

const isCount = (value: unknown): value is number => isInteger(value, 0, Number.MAX_SAFE_INTEGER)

/** JSON.parse takes 8.0, 8e0 and -0 for whole numbers, which the format does not allow. */
function checkDigits(text: string, field: string, tensor: string, fail: Fail): void {
  for (const [number] of text.matchAll(/-?\d[\d.eE+-]*/g))
    if (Number.isInteger(Number(number)) && /[.eE]|^-0/.test(number))
      fail(`has ${number} in ${field} of tensor '${shortText(tensor)}'; expected a whole number's digits`)
}

/**
 * Calls `member` with each key of the object that begins at `start`, and where its value does.
 *
 * @param member returns where the value ends
 * @returns where the object ends
 */
function walk(text: string, start: number, fail: Fail, member: (key: string, value: number) => number): number {
  const keys = new Set<string>()
  const expect = (symbol: string, at: number): void => {
    if (text[at] !== symbol) fail(`is not JSON: ${JSON.stringify(text[at] ?? 'its end')} where ${symbol} is expected`)
  }
  let position = skipSpace(text, start + 1)
  if (text[position] === '}') return position + 1
  for (;;) {
    expect('"', position)
    const keyEnd = stringEnd(text, position, fail)
    const key = parse(text.slice(position, keyEnd), fail) as string
    if (keys.has(key)) fail(`has the key '${shortText(key)}' twice`)
    if (keys.add(key).size > MOST_MEMBERS) fail(`has an object of more than ${MOST_MEMBERS} members`)
    position = skipSpace(text, keyEnd)
    expect(':', position)
    position = skipSpace(text, member(key, skipSpace(text, position + 1)))
    if (text[position] === '}') return position + 1
    expect(',', position)
    position = skipSpace(text, position + 1)
  }
}

/** Where the value that begins at `start` ends, or undefined if that is beyond `limit`. */
function valueEnd(text: string, start: number, limit: number, fail: Fail): number | undefined {
  let depth = 0
  for (let position = start; position < Math.min(limit, text.length); position++) {
    const symbol = text[position] as string
    if (symbol === '"') position = stringEnd(text, position, fail) - 1
    else if (symbol === '{' || symbol === '[') depth++
    else if (symbol === '}' || symbol === ']') depth--
    if (depth < 0 || (depth === 0 && symbol === ',')) return position
    if (depth === 0 && /["}\]]/.test(symbol)) return position + 1
  }
  return limit < text.length ? undefined : text.length
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where the string that begins at `start` ends: after its closing quote. */
function stringEnd(text: string, start: number, fail: Fail): number {
  for (let position = start + 1; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code === QUOTE) return position + 1
    if (code === BACKSLASH) position++
  }
  return fail('is not JSON: a string has no end')
}

/** JSON's white space, which is not all that JavaScript has. */
function skipSpace(text: string, start: number): number {
  let position = start
  while (position < text.length && ' \t\n\r'.includes(text[position] as string)) position++
  return position
}

function parse(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return fail(`is not JSON: ${(error as Error).message}`)
  }
}
