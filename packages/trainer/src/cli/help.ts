/** The text of a command's `--help`, from its table of options. */
import { greatest } from '../numbers.ts'
import { common, type Option, type OptionTable } from './options.ts'

/** What the help tells beside the options. */
export interface HelpText {
  /** Arguments, for each way to call the command: `train RECIPE [--data PATH]`. */
  usage: readonly string[]
  /** Paragraphs before the options. */
  about?: string
  /** What `--json` prints. */
  json: string
  /** Paragraphs after the options. */
  after?: string
}

/** Characters of a line. */
const width = 120
/** Longest name of an option with its value beside which others stand. */
const longest = 22

/** @param defaults of options whose default is not in the table, by their names */
export function helpText(
  { usage, about, json, after }: HelpText,
  options: OptionTable,
  defaults: Readonly<Record<string, unknown>> = {},
): string {
  const rows = Object.entries({ ...options, json: { ...common.json, help: json }, help: common.help }).map(
    ([name, option]): [string, string] => [label(name, option), described(option, defaults[name])],
  )
  const column = greatest(rows.map(([name]) => name.length).filter(length => length <= longest)) + 4
  const calls = usage.map((call, i) => `${i === 0 ? 'Usage:' : '      '} vitral ${call} [OPTIONS]`)
  return [calls.join('\n'), about, rows.map(row => line(row, column)).join('\n'), after].filter(Boolean).join('\n\n')
}

const label = (name: string, { value }: Option<unknown>): string => `--${name}${value === undefined ? '' : ` ${value}`}`

function described({ help, standard, multiple }: Option<unknown>, given: unknown): string {
  const default_ = standard ?? (given === undefined || given === false ? undefined : String(given))
  return `${help}${default_ === undefined ? '' : ` (${default_})`}${multiple ? '; may be repeated' : ''}`
}

/** The option and its description, whose further lines begin below its first; words stay whole. */
function line([name, help]: [string, string], column: number): string {
  const first = `  ${name}`.padEnd(column - 1)
  const lines = first.length < column ? [first] : [first, ' '.repeat(column - 1)]
  for (const word of help.split(' ')) {
    const last = lines.at(-1) as string
    if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`${' '.repeat(column - 1)} ${word}`)
  }
  return lines.join('\n')
}
