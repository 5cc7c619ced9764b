/** One table for each kind of JSON file of others: the fields that are obeyed, those that change no number, and all others refused. */
import { isInteger } from '../check.ts'
import { listNames, shortText } from '../text.ts'

/** How one field is read. */
export interface FieldReading {
  /** Its name in the file. */
  key: string
  /** What it can be, for errors. */
  expected: string
  /** Its value, or undefined when the file's is no such thing. */
  read: (value: unknown) => unknown
}

export interface FieldTable<Field extends string> {
  /** What the file describes, for errors: "a Hugging Face configuration". */
  what: string
  /** Fields that are read, by our names for them; null counts as absent. */
  obeyed: Readonly<Record<Field, FieldReading>>
  /** Names of fields that change no number: versions, notes, what only training of others looks at. */
  harmless: readonly string[]
  /** Fields that the file's own program obeys and Vitral cannot, with the values that ask for nothing; null, [] and {} always do. */
  refused: Readonly<Record<string, readonly unknown[]>>
  /** Whether a field in none of the three is refused as well, or returned for the caller to say aloud. */
  unknown: 'refused' | 'returned'
}

export interface ReadFields<Field extends string> {
  /** Values by Vitral's names, without those the file leaves out. */
  values: Partial<Record<Field, unknown>>
  /** Names of fields that the table does not have. */
  unknown: string[]
}

/**
 * Reads the fields of a parsed JSON file by its table.
 *
 * @param source what errors call the file
 * @throws naming the file, the field, what it is and what it can be
 * @example
 * const table = { what: 'a size', obeyed: { size: { key: 'size', ...wholeNumber(1, 4096) } }, harmless: ['version'], refused: { crop: [false] }, unknown: 'refused' } as const
 * readFields({ size: 224, version: 4, crop: false }, table, 'size.json').values // { size: 224 }
 */
export function readFields<Field extends string>(
  json: unknown,
  { what, obeyed, harmless, refused, unknown }: FieldTable<Field>,
  source: string,
): ReadFields<Field> {
  if (!isObject(json)) throw new Error(`${source} holds no JSON object; expected ${what}.`)
  const values: Partial<Record<Field, unknown>> = {}
  const known = new Set(harmless)
  for (const [field, { key, expected, read }] of Object.entries(obeyed) as [Field, FieldReading][]) {
    known.add(key)
    const value = own(json, key)
    if (value === undefined || value === null) continue
    values[field] = read(value)
    if (values[field] === undefined)
      throw new Error(`${source}: ${key} is ${describeValue(value)}; expected ${expected}.`)
  }
  for (const [key, neutral] of Object.entries(refused)) {
    known.add(key)
    const value = own(json, key)
    if (asksForNothing(value) || neutral.includes(value)) continue
    const harmlessly = [...neutral.map(describeValue), 'no such field'].join(' or ')
    throw new Error(`${source}: ${key} is ${describeValue(value)}; expected ${harmlessly}, since Vitral has no other.`)
  }
  const others = Object.keys(json).filter(key => !known.has(key) && !asksForNothing(json[key]))
  if (unknown === 'refused' && others.length > 0)
    throw new Error(
      `${source}: Vitral does not know ${listNames(others)}; remove what changes no number, since a field that is not understood may.`,
    )
  return { values, unknown: others }
}

/** A number from `least` to `most`, both finite. */
export const finiteNumber = (
  least: number = -Number.MAX_VALUE,
  most: number = Number.MAX_VALUE,
): Omit<FieldReading, 'key'> => ({
  expected: `a number${rangeText(least, most)}`,
  read: value => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
})

/** A whole number from `least` to `most`. */
export const wholeNumber = (least: number, most: number): Omit<FieldReading, 'key'> => ({
  expected: `a whole number${rangeText(least, most)}`,
  read: value =>
    isInteger(value, Math.max(least, Number.MIN_SAFE_INTEGER), Math.min(most, Number.MAX_SAFE_INTEGER))
      ? value
      : undefined,
})

export const trueOrFalse: Omit<FieldReading, 'key'> = {
  expected: 'true or false',
  read: value => (typeof value === 'boolean' ? value : undefined),
}

/** One of these texts. */
export const oneOf = (...texts: readonly string[]): Omit<FieldReading, 'key'> => ({
  expected: texts.map(text => `"${text}"`).join(', '),
  read: value => (texts.includes(value as string) ? value : undefined),
})

/** A value of a file in at most 100 characters, as JSON but for numbers beyond it: 1e400 is Infinity, never null. */
export function describeValue(value: unknown): string {
  const text =
    typeof value === 'number' ? String(value) : (JSON.stringify(value, (_, part) => spelledOut(part)) ?? 'missing')
  return shortText(text)
}

const spelledOut = (part: unknown): unknown =>
  typeof part === 'number' && !Number.isFinite(part) ? String(part) : part

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const own = (json: Record<string, unknown>, key: string): unknown => (Object.hasOwn(json, key) ? json[key] : undefined)

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  for (const _ in value) return false
  return true
}

function rangeText(least: number, most: number): string {
  if (most >= Number.MAX_SAFE_INTEGER) return least <= -Number.MAX_SAFE_INTEGER ? '' : `, ${least} or more`
  return ` from ${least} to ${most}`
}
