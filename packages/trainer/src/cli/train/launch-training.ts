/** `vitral train --nproc N`, and `--nnodes M`: the same command, in several processes, on several machines. */

import { existsSync } from 'node:fs'
import { launch } from '../../ddp/launch.ts'
import { launchMpi } from '../../ddp/launch-mpi.ts'
import { runPaths } from '../../run/folder.ts'
import type { TrainingValues } from './training-options.ts'

/** Values of the options about processes. */
export type LaunchValues = Pick<
  TrainingValues,
  'nproc' | 'nnodes' | 'hosts' | 'max-restarts' | 'min-nproc' | 'master-port' | 'timeout'
>

/**
 * Whether several processes are to be started.
 *
 * @throws where options of those are given, and none that starts them
 */
export function isLaunch({ nproc, nnodes, hosts, ...others }: LaunchValues): boolean {
  if ([nproc, nnodes, hosts].some(value => value !== undefined)) return true
  for (const name of ['max-restarts', 'min-nproc', 'master-port', 'timeout'] as const)
    if (others[name] !== undefined)
      throw new Error(
        `--${name} is for processes that --nproc, --hosts or --nnodes starts, and none of them is given.${name === 'timeout' ? ' Of processes that another launcher starts, VITRAL_COLLECTIVES_TIMEOUT is the number of seconds.' : ''}`,
      )
  return false
}

/**
 * @param command name of the command, such as train
 * @param args its arguments, as they were given
 * @param out the run's folder
 * @returns the code to exit with
 */
export async function launchTraining(
  command: string,
  args: readonly string[],
  out: string,
  values: LaunchValues,
): Promise<number> {
  const { nproc = 1, 'max-restarts': maxRestarts = 0, 'min-nproc': minNproc = nproc, timeout } = values
  const program = [...process.execArgv, process.argv[1] as string, command]
  const isBegun = (): boolean => existsSync(runPaths(out).config) && !args.includes('--resume')
  const common = {
    command: process.execPath,
    args: (attempt: number) => [...program, ...args, ...(attempt > 0 && isBegun() ? ['--resume'] : [])],
    nproc,
    maxRestarts,
    timeout,
  }
  const machines = machinesOf(values)
  if (machines) return await launchMpi({ ...common, ...machines })
  if (minNproc > nproc) throw new Error(`--min-nproc is ${minNproc}, more than --nproc, ${nproc}.`)
  return await launch({ ...common, minNproc, masterPort: values['master-port'] })
}

/** @returns nothing where it is this one alone */
function machinesOf(values: LaunchValues): { nnodes: number; hosts?: string[] } | undefined {
  const hosts = values.hosts?.split(',').map(host => host.trim())
  if (hosts?.some(host => !/^[\w.-]+$/.test(host)))
    throw new Error(
      `--hosts is '${values.hosts}'; expected names or addresses with commas between, such as gpu-1,gpu-2.`,
    )
  const { nnodes = hosts?.length ?? 1 } = values
  if (hosts && hosts.length !== nnodes)
    throw new Error(`--hosts names ${hosts.length} machines, and --nnodes is ${nnodes}.`)
  if (nnodes === 1 && !hosts) return undefined
  for (const name of ['min-nproc', 'master-port'] as const)
    if (values[name] !== undefined)
      throw new Error(`--${name} is for the processes of one machine; leave it out with --nnodes.`)
  return { nnodes, hosts }
}
