#!/usr/bin/env node
/** The `vitral` command: finds the subcommand, runs it, and turns an error into one line and an exit code. */
import { endWithLauncher } from '../ddp/end-with-launcher.ts'
import { bench } from './bench.ts'
import type { Command } from './command.ts'
import { print } from './command.ts'
import { data } from './data.ts'
import { doctor } from './doctor.ts'
import { evalCommand } from './eval.ts'
import { exportCommand } from './export.ts'
import { lrFindCommand } from './lr-find.ts'
import { predict } from './predict.ts'
import { printError } from './print-error.ts'
import { reportCommand } from './report.ts'
import { serve } from './serve.ts'
import { sweepCommand } from './sweep.ts'
import { train } from './train.ts'

const commands: Record<string, Command> = {
  train,
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

vitral COMMAND --help tells more. With VITRAL_DEBUG=1 an error shows where it came from.`

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    ;(name === undefined ? console.error : print)(help)
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  try {
    if (!command) throw new Error(`There is no command '${name}'; expected one of ${Object.keys(commands).join(', ')}.`)
    if (args.includes('--help') || args.includes('-h')) {
      print(command.help)
      return 0
    }
    return await command.run(args)
  } catch (error) {
    printError(command && name, error)
    return 1
  }
}

const letEnd = endWithLauncher()
process.exitCode = await main(process.argv.slice(2))
letEnd()
