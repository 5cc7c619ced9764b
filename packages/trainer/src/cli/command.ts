/** What the subcommands share: their shape, how their arguments are read, and what is printed. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { ComputeDtype } from '@vitral/core'
import { jsonLine, printable, printableLines } from '@vitral/core/text'
import { didYouMean } from '../did-you-mean.ts'
import { parseInteger } from '../numbers.ts'

export interface Command {
  /** For the list of commands. */
  summary: string
  /** For `--help`. */
  help: string
  /** Whether it goes on when nobody reads its standard output: it leaves more than that. @default false */
  goesOnUnread?: boolean
  /** @returns the exit code. */
  run(args: string[]): Promise<number>
}

type Options = NonNullable<ParseArgsConfig['options']>

interface CommonOptions extends Options {
  help: { type: 'boolean'; short: 'h' }
  json: { type: 'boolean' }
}

/** Options of every subcommand. */
const common: CommonOptions = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } }

/** For commands that compute. */
export const backendOption: { backend: { type: 'string'; default: string } } = {
  backend: { type: 'string', default: 'auto' },
}

/** For commands that run a model. */
export const precisionOption: { precision: { type: 'string'; default: string } } = {
  precision: { type: 'string', default: 'float32' },
}

/** @throws unless it is one of the three. */
export function precisionOf({ precision }: { precision: string }): ComputeDtype {
  if (precision !== 'float32' && precision !== 'bfloat16' && precision !== 'int8')
    throw new Error(`--precision is '${precision}'; expected float32, bfloat16 or int8.`)
  return precision
}

type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O & CommonOptions; allowPositionals: true }>>

/** @throws in one line, for an option that is unknown or lacks its value. */
export function parse<O extends Options>(args: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args, options: { ...options, ...common }, allowPositionals: true }) as Parsed<O>
  } catch (error) {
    const [line = ''] = (error as Error).message.split(/\. To specify|\n/)
    const [, flag] = /^Unknown option '-{1,2}(.+)'$/.exec(line) ?? []
    throw new Error(flag === undefined ? line : `${line}.${didYouMeanFlag(flag, { ...options, ...common })}`)
  }
}

function didYouMeanFlag(flag: string, known: Options): string {
  return didYouMean(
    `--${flag}`,
    Object.keys(known).map(name => `--${name}`),
  )
}

/** @throws naming what is missing. */
export function required(value: string | undefined, what: string): string {
  if (!value) throw new Error(`${what} is missing.`)
  return value
}

/** For commands that decode images. */
export const maxPixelsOption: { 'max-pixels': { type: 'string' } } = { 'max-pixels': { type: 'string' } }

/** @throws unless it is a number of pixels; undefined where the default holds */
export const maxPixelsOf = (values: { 'max-pixels'?: string }): number | undefined =>
  values['max-pixels'] === undefined ? undefined : parseInteger('--max-pixels', values['max-pixels'], 1)

/** Lines for people; strings of files in them have passed `printable`, which keeps them in their line. */
export const print = (text: string): void => printRaw(`${printableLines(text)}\n`)

/** What is whole by itself and safe already, such as lines of JSON. */
export const printRaw = (text: string): void => void (text && process.stdout.write(text))

/** A value as one line of JSON. */
export const printJson = (value: unknown): void => printRaw(`${jsonLine(value)}\n`)

/** Why an image is refused, in one line and in the command line's words. */
export const reasonOf = (reason: string): string => printable(reason).replaceAll(/\bmaxPixels\b/g, '--max-pixels')
