/** What the subcommands share: their shape, the options that several have, and what is printed. */
import type { BackendName, ComputeDtype } from '@vitral/core'
import { jsonLine, printable, printableLines } from '@vitral/core/text'
import { defaultMaxPixels } from '@vitral/datasets/images'
import { type HelpText, helpText } from './help.ts'
import {
  choice,
  type common,
  flag,
  integer,
  type Option,
  type OptionTable,
  parse,
  text,
  type Values,
} from './options.ts'

export interface Command {
  /** For the list of commands. */
  summary: string
  /** Whether it goes on when nobody reads its standard output: it leaves more than that. @default false */
  goesOnUnread?: boolean
  /** The text of `--help`. */
  help(): Promise<string>
  /** @returns the exit code. */
  run(args: string[]): Promise<number>
}

/** What a command is called with. */
export interface Call<O extends OptionTable> {
  values: Values<O & typeof common>
  /** Arguments that belong to no option. */
  positionals: string[]
  /** All arguments as they were given. */
  args: string[]
}

/** A command: its help, its options, and what it does. */
export interface CommandDefinition<O extends OptionTable> extends HelpText, Pick<Command, 'summary' | 'goesOnUnread'> {
  options: O
  /** Defaults for the help, by the options' names, where the options' own table does not know them. */
  defaults?: () => Promise<Readonly<Record<string, unknown>>>
  run(call: Call<O>): Promise<number>
}

/** The command of a definition. */
export function defineCommand<O extends OptionTable>({
  summary,
  goesOnUnread,
  options,
  defaults,
  run,
  ...texts
}: CommandDefinition<O>): Command {
  return {
    ...{ summary, goesOnUnread },
    help: async () => helpText(texts, options, await defaults?.()),
    run: args => run({ ...parse(args, options), args }),
  }
}

/** For commands that compute. */
export const backendOption: { backend: Option<'auto' | BackendName> } = {
  backend: text({
    default: 'auto',
    help: 'what computes: auto, native, tensorflow, webgpu, wasm or cpu',
  }) as Option<'auto' | BackendName>, // useBackend refuses others
}

/** For commands that run a model. */
export const precisionOption: { precision: Option<ComputeDtype> } = {
  precision: choice(['float32', 'bfloat16', 'float16', 'int8'], {
    default: 'float32',
    help: 'precision of the matrix products; float16 on webgpu, int8 on native and wasm alone',
  }),
}

/** For commands that decode images. */
export const maxPixelsOption: { 'max-pixels': Option<number | undefined> } = {
  'max-pixels': integer({ help: `larger images are refused (${defaultMaxPixels}, 8192 × 8192)` }),
}

/** For commands that read a data set. */
export const dataOptions: Record<'download' | 'skip-broken', Option<boolean>> & { data: Option<string> } = {
  data: text({ value: 'PATH', default: 'data', help: 'where the data set is: its folder, or the file of a manifest' }),
  download: flag('downloads the data set to --data first, unless it is there'),
  'skip-broken': flag('leaves out images that cannot be decoded, and says which'),
}

/** Lines for people; strings of files in them have passed `printable`, which keeps them in their line. */
export const print = (text: string): void => printRaw(`${printableLines(text)}\n`)

/** What is whole by itself and safe already, such as lines of JSON. */
export const printRaw = (text: string): void => void (text && process.stdout.write(text))

/** A value as one line of JSON. */
export const printJson = (value: unknown): void => printRaw(`${jsonLine(value)}\n`)

/** Why an image is refused, in one line and in the command line's words. */
export const reasonOf = (reason: string): string => printable(reason).replaceAll(/\bmaxPixels\b/g, '--max-pixels')
