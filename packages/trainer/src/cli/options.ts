/** Options of a command as one table: from it come parsing, checks, defaults and `--help`. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { listChoices } from '@vitral/core/text'
import { didYouMean } from '../did-you-mean.ts'
import { parseInteger } from '../numbers.ts'

/** One option; `T` is what a command gets of it. */
export interface Option<T> {
  /** Placeholder of its value in the help: N, FILE; none for a flag. */
  value?: string
  /** What it does, for the help. */
  help: string
  /** The default as the help shows it. */
  standard?: string
  /** Value where the option is given without one. */
  implied?: { value: string; unless: RegExp }
  type: 'string' | 'boolean'
  multiple?: boolean
  /** @throws naming the option when what was given cannot be used */
  read(name: string, given: string | boolean | (string | boolean)[] | undefined): T
}

/** Options by name, in the order of the help. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>

/** What a command gets of its options. */
export type Values<O extends OptionTable> = { [K in keyof O]: O[K] extends Option<infer T> ? T : never }

interface Described {
  help: string
  /** Placeholder in the help. */
  value?: string
}

/** An option whose text `read` turns into a value. */
export function parsed<T>(read: (name: string, text: string) => T, about: Described & { default: string }): Option<T>
export function parsed<T>(read: (name: string, text: string) => T, about: Described): Option<T | undefined>
export function parsed<T>(
  read: (name: string, text: string) => T,
  { help, value, default: standard }: Described & { default?: string },
): Option<T | undefined> {
  return {
    ...{ help, value, standard, type: 'string' },
    read(name, given = standard) {
      return given === undefined ? undefined : read(name, given as string)
    },
  }
}

const same = (_: string, text: string): string => text

/** Text as it is. */
export function text(about: Described & { default: string }): Option<string>
export function text(about: Described): Option<string | undefined>
export function text(about: Described & { default?: string }): Option<string | undefined> {
  return parsed(same, { value: 'NAME', ...about })
}

/** Text that must be given. */
export const required = (about: Described): Option<string> => ({
  ...text(about),
  read: (name, given) => needed(given as string | undefined, name),
})

/** A whole number of at least `least`, 1 unless that is given. */
export function integer(about: Described & Range & { default: number }): Option<number>
export function integer(about: Described & Range): Option<number | undefined>
export function integer({ least = 1, most, ...about }: Described & Range & { default?: number }) {
  const read = (name: string, text: string): number => parseInteger(name, text, least, most)
  const standard = about.default === undefined ? undefined : String(about.default)
  return parsed(read, { value: 'N', ...about, default: standard as string })
}

interface Range {
  least?: number
  most?: number
}

/** One of these names, which the help lists. */
export function choice<Name extends string>(names: readonly Name[], about: Described & { default: Name }): Option<Name>
export function choice<Name extends string>(names: readonly Name[], about: Described): Option<Name | undefined>
export function choice<Name extends string>(
  names: readonly Name[],
  { help, ...about }: Described & { default?: Name },
): Option<Name | undefined> {
  const read = (name: string, text: string): Name => {
    if ((names as readonly string[]).includes(text)) return text as Name
    throw new Error(`${name} is '${text}'; expected one of ${names.join(', ')}.`)
  }
  return parsed(read, {
    value: 'NAME',
    ...about,
    help: `${help}: ${listChoices(names)}`,
    default: about.default as string,
  })
}

/** A flag: true where it is given. */
export const flag = (help: string): Option<boolean> => ({ help, type: 'boolean', read: (_, given) => given === true })

/** Text that may be given several times. */
export const repeated = (about: Described & { value: string }): Option<string[] | undefined> => ({
  ...about,
  ...{ type: 'string', multiple: true, read: (_, given) => given as string[] | undefined },
})

/** Options of every command. */
export const common: { json: Option<boolean>; help: Option<boolean> } = {
  json: flag(''),
  help: flag('this text'),
}

/** @throws naming what is missing. */
export function needed(value: string | undefined, what: string): string {
  if (!value) throw new Error(`${what} is missing.`)
  return value
}

/**
 * @returns the values of the options, and the other arguments
 * @throws in one line, for an option that is unknown, lacks its value or has one that cannot be used.
 */
export function parse<O extends OptionTable>(
  args: readonly string[],
  table: O,
): { values: Values<O & typeof common>; positionals: string[] } {
  const options: OptionTable = { ...table, ...common }
  const { values: given, positionals } = parseRaw(args, options)
  const values = Object.entries(options).map(([name, option]) => [name, option.read(`--${name}`, given[name])])
  return { values: Object.fromEntries(values), positionals }
}

function parseRaw(args: readonly string[], table: OptionTable) {
  const options: NonNullable<ParseArgsConfig['options']> = Object.fromEntries(
    Object.entries(table).map(([name, { type, multiple = false }]) => [
      name,
      { type, multiple, ...(name === 'help' && { short: 'h' }) },
    ]),
  )
  try {
    return parseArgs({ args: args.map(withImplied(table)), options, allowPositionals: true })
  } catch (error) {
    const [line = ''] = (error as Error).message.split(/\. To specify|\n/)
    const [, flag] = /^Unknown option '-{1,2}(.+)'$/.exec(line) ?? []
    const known = Object.keys(table).map(name => `--${name}`)
    throw new Error(flag === undefined ? line : `${line}.${didYouMean(`--${flag}`, known)}`)
  }
}

/** Gives an option whose value may be left out the value that it then has. */
const withImplied =
  (table: OptionTable) =>
  (arg: string, i: number, args: readonly string[]): string => {
    const implied = arg.startsWith('--') ? table[arg.slice(2)]?.implied : undefined
    return implied && !implied.unless.test(args[i + 1] ?? '') ? `${arg}=${implied.value}` : arg
  }
