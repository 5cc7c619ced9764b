#!/usr/bin/env node
/** The `vitral` command: finds the subcommand, runs it, and turns an error into one line and an exit code. */
import { endWithLauncher } from '../ddp/end-with-launcher.ts'
import { didYouMean } from '../did-you-mean.ts'
import { vitralVersion } from '../version.ts'
import { bench } from './bench.ts'
import type { Command } from './command.ts'
import { print } from './command.ts'
import { data } from './data.ts'
import { doctor } from './doctor.ts'
import { evalCommand } from './eval.ts'
import { exportCommand } from './export.ts'
import { guardOutput } from './guard-output.ts'
import { lrFindCommand } from './lr-find.ts'
import { predict } from './predict.ts'
import { printError } from './print-error.ts'
import { reportCommand } from './report.ts'
import { serve } from './serve.ts'
import { sweepCommand } from './sweep.ts'
import { finetune } from './train/finetune.ts'
import { train } from './train/train.ts'

const commands: Record<string, Command> = {
  train,
  finetune,
  'lr-find': lrFindCommand,
  sweep: sweepCommand,
  eval: evalCommand,
  predict,
  export: exportCommand,
  report: reportCommand,
  serve,
  data,
  bench,
  doctor,
}

const help = `Usage: vitral COMMAND [OPTIONS]

Commands
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

vitral COMMAND --help tells more, vitral --version which Vitral this is. With VITRAL_DEBUG=1 an error shows where it came from.`

async function main([name, ...args]: string[]): Promise<number> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  guardOutput(command && name, { goesOn: command?.goesOnUnread })
  if (name === undefined) {
    console.error(help)
    return 2
  }
  const { bun, node } = process.versions
  if (name === '--help' || name === '-h') print(help)
  else if (name === '--version') print(`vitral ${vitralVersion}, ${bun ? `Bun ${bun}` : `Node ${node}`}`)
  else return await run(name, command, args)
  return 0
}

async function run(name: string, command: Command | undefined, args: string[]): Promise<number> {
  try {
    if (!command) throw new Error(unknownCommand(name))
    if (args.includes('--help') || args.includes('-h')) {
      print(await command.help())
      return 0
    }
    return await command.run(args)
  } catch (error) {
    printError(command && name, error)
    return 1
  }
}

const unknownCommand = (name: string): string => {
  const known = Object.keys(commands)
  return `There is no command '${name}'; expected one of ${known.join(', ')}.${didYouMean(name, known)}`
}

const letEnd = endWithLauncher()
process.exitCode = await main(process.argv.slice(2))
letEnd()
