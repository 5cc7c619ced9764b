/** Kinds of fields for the tables of options, and how options are checked by such a table. */
import { describeValue } from '@vitral/core/files'
import { z } from 'zod'

/** A table of options: for each its check, description and default. */
export type Fields<T> = { readonly [K in keyof T]-?: z.ZodType<T[K]> }

/** TypeScript's name for what a field holds, where the type generated from its check would be another. */
export const typeNames: z.core.$ZodRegistry<{ type: string }> = z.registry()

/** Limits of a number: inclusive (`least`, `most`) or exclusive (`above`, `below`). */
interface Limits {
  least?: number
  above?: number
  most?: number
  below?: number
  whole?: boolean
}

/** A finite number within the limits. */
export function number(expected: string, { least, above, most, below, whole }: Limits): z.ZodType<number> {
  const otherwise = { error: expected, abort: true }
  let schema = z.number(expected)
  if (least !== undefined) schema = schema.gte(least, otherwise)
  if (above !== undefined) schema = schema.gt(above, otherwise)
  if (most !== undefined) schema = schema.lte(most, otherwise)
  if (below !== undefined) schema = schema.lt(below, otherwise)
  return whole ? schema.int(otherwise) : schema
}

/** Largest count: beyond it no memory holds what is counted. */
const MOST = 2 ** 31 - 1

/** A whole number from `least` to what memory can hold. */
export function wholeNumber(least: number): z.ZodType<number> {
  const otherwise = { error: `a whole number of at least ${least}`, abort: true }
  return z
    .number(otherwise.error)
    .lte(MOST, { error: `at most ${MOST}`, abort: true })
    .gte(least, otherwise)
    .int(otherwise)
}

export const aboveZero: z.ZodType<number> = number('a number above 0', { above: 0 })
export const notNegative: z.ZodType<number> = number('a number that is 0 or more', { least: 0 })
export const share: z.ZodType<number> = number('a number from 0 to 1', { least: 0, most: 1 })
export const trueOrFalse: z.ZodType<boolean> = z.boolean('true or false')
export const text = (expected: string): z.ZodType<string> => z.string(expected).min(1, { error: expected, abort: true })

/** One of these names; `type` names their union in TypeScript. */
export function oneOf<Name extends string>(
  names: readonly Name[],
  { type, expected = `one of ${names.join(', ')}` }: { type?: string; expected?: string } = {},
): z.ZodType<Name> {
  const schema = z.enum(names as readonly [Name, ...Name[]], expected)
  return type === undefined ? schema : schema.register(typeNames, { type })
}

/** A list; `expected` says all of it, and so what is expected of each element, too. */
export const listOf = <T>(
  element: (expected: string) => z.ZodType<T>,
  expected: string,
  least = 0,
): z.ZodType<readonly T[]> =>
  z.array(element(expected), expected).min(least, { error: expected, abort: true }).readonly()

/** An object with these fields and no other. */
export const group = <Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? 'an object with fields' : undefined),
  })

/** The field, or null for none. */
export const orNull = <T>(schema: z.ZodType<T>, expected: string): z.ZodType<T | null> =>
  z.union([schema, z.null()], expected)

/**
 * Options as a part of something larger, such as a recipe: an object whose type in TypeScript is called `type`. What has a
 * default may be left out and stays left out, since the default is filled in by what takes the options.
 */
export function part<T>(type: string, fields: Fields<T>): z.ZodType<T> {
  const shape = Object.entries<z.ZodType>(fields).map(([name, field]) => [name, unfilled(field)])
  const schema: z.ZodType = group(Object.fromEntries(shape))
  return (schema as z.ZodType<T>).register(typeNames, { type })
}

function unfilled(field: z.ZodType): z.ZodType {
  if (!(field instanceof z.ZodDefault)) return field
  return z.optional(field.unwrap() as z.ZodType).meta({ ...field.meta(), default: field.parse(undefined) })
}

/** A wrong value: where it is, what it is, and what it may be. */
export interface Problem {
  path: string
  value: unknown
  expected: string
}

/**
 * The value with its defaults, or its first problem.
 *
 * @example
 * check(group({ gamma: aboveZero }), { gamma: 0 }) // { problem: { path: 'gamma', value: 0, expected: 'a number above 0' } }
 */
export function check<T>(schema: z.ZodType<T>, value: unknown): { data: T } | { problem: Problem } {
  const { data, error } = schema.safeParse(value)
  if (!error) return { data: data as T }
  const { path, message } = innermost(error.issues[0] as z.core.$ZodIssue, value)
  return { problem: { path: path.join('.'), value: valueAt(value, path), expected: message } }
}

interface Located {
  path: PropertyKey[]
  message: string
}

/** The issue itself, or that of the alternative of a union which the value is meant to be; of a list, the list as a whole. */
function innermost(issue: z.core.$ZodIssue, value: unknown): Located {
  const list = issue.path.findIndex(key => typeof key === 'number')
  if (list >= 0) return { path: issue.path.slice(0, list), message: issue.message }
  if (issue.code !== 'invalid_union') return issue
  const at = valueAt(value, issue.path)
  const meant = alternative(issue.errors, at)
  if (!meant) return issue
  const { path, message } = innermost(meant, at)
  return { path: [...issue.path, ...path], message }
}

/** The issue of the one alternative with fields, or of the one whose field is given, or of a number beyond its limit. */
function alternative(errors: z.core.$ZodIssue[][], value: unknown): z.core.$ZodIssue | undefined {
  const first = errors.flatMap(([issue]) => issue ?? [])
  const within = first.filter(({ path }) => path.length > 0)
  if (within.length === 1) return within[0]
  const given = within.find(({ path }) => valueAt(value, path.slice(0, 1)) !== undefined)
  return given ?? first.find(({ code, message }) => code === 'too_big' && message.startsWith('at most'))
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((group, key) => (group as Record<PropertyKey, unknown> | null | undefined)?.[key], value)

/**
 * Options with their defaults, checked by their table.
 *
 * @param owner what the options are of, before their names in errors: "The schedule's " or "GradScaler: "
 * @throws naming the option, what it is and what it may be
 */
export function resolveFields<T extends object>(owner: string, fields: Fields<T>, options: Partial<T>): Required<T> {
  const result = check(z.object(fields), options)
  if ('data' in result) return result.data as Required<T>
  const { path, value, expected } = result.problem
  throw new Error(`${owner}${path} is ${describeValue(value)}; expected ${expected}.`)
}
