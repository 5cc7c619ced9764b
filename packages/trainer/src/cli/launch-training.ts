/** `vitral train --nproc N`: the same command, in several processes. */
import { existsSync } from 'node:fs'
import { launch } from '../ddp/launch.ts'
import { runPaths } from '../run-folder.ts'
import { wholeNumber } from './command.ts'

export interface LaunchValues {
  nproc?: string
  'max-restarts': string
  'min-nproc'?: string
  'master-port'?: string
  timeout: string
}

/**
 * @param args of `vitral train`, as they were given
 * @param out the run's folder
 * @returns the code to exit with
 */
export async function launchTraining(args: readonly string[], out: string, values: LaunchValues): Promise<number> {
  const nproc = wholeNumber(values.nproc as string, '--nproc', 1)
  const minNproc = wholeNumber(values['min-nproc'] ?? String(nproc), '--min-nproc', 1)
  if (minNproc > nproc) throw new Error(`--min-nproc is ${minNproc}, more than --nproc, ${nproc}.`)
  const masterPort =
    values['master-port'] === undefined ? undefined : wholeNumber(values['master-port'], '--master-port', 1)
  if (masterPort !== undefined && masterPort > 65535)
    throw new Error(`--master-port is ${masterPort}; expected a number from 1 to 65535.`)
  const program = [...process.execArgv, process.argv[1] as string, 'train']
  const isBegun = (): boolean => existsSync(runPaths(out).config) && !args.includes('--resume')
  return launch({
    command: process.execPath,
    args: attempt => [...program, ...args, ...(attempt > 0 && isBegun() ? ['--resume'] : [])],
    nproc,
    minNproc,
    maxRestarts: wholeNumber(values['max-restarts'], '--max-restarts', 0),
    masterPort,
    timeout: wholeNumber(values.timeout, '--timeout', 1),
  })
}
