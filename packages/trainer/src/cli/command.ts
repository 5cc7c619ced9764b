/** What the subcommands share: their shape, how their arguments are read, and what is printed. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { ComputeDtype } from '@vitral/core'

export interface Command {
  /** For the list of commands. */
  summary: string
  /** For `--help`. */
  help: string
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
    throw new Error((error as Error).message.split(/\. To specify|\n/)[0])
  }
}

/** @throws naming what is missing. */
export function required(value: string | undefined, what: string): string {
  if (!value) throw new Error(`${what} is missing.`)
  return value
}

/** @throws naming the value, unless it is a whole number of at least `least`. */
export function wholeNumber(value: string, what: string, least: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < least)
    throw new Error(`${what} is '${value}'; expected a whole number of at least ${least}.`)
  return number
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Names of files may hold line ends and the terminal's own codes. */
export const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ')

export const percent = (share: number): string => `${(share * 100).toFixed(2)}%`
