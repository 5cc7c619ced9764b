/** What a command does in each of several processes, from their meeting to their end. */
import { WriteError } from '@vitral/core/files'
import { exitCodes, type Interrupt, onInterrupt } from '../../ddp/interrupt.ts'
import { letOthersSpeakFirst } from '../../ddp/missing-rank.ts'
import { connectProcessGroup, type ProcessGroup } from '../../ddp/process-group.ts'
import { printError } from '../print-error.ts'

/**
 * Joins the other processes, if the environment names some, and leaves them after. An error is told here, before they are
 * told of it: so the process's own words come before theirs.
 *
 * @param command its name
 * @param body is given a signal that an interrupt aborts; what it throws then is not told
 * @returns the code to exit with
 */
export async function inProcessGroup(
  command: string,
  body: (group: ProcessGroup, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { signal, release } = onInterrupt()
  let group: ProcessGroup | undefined
  let failure: string | undefined
  try {
    group = await connectProcessGroup(process.env, { signal })
    return await body(group, signal)
  } catch (error) {
    if (signal.aborted && !(error instanceof WriteError)) return exitCodeOf(signal) // with one, the state is not saved
    failure = error instanceof Error ? error.message : String(error)
    await letOthersSpeakFirst(error)
    printError(command, error)
    return 1
  } finally {
    release()
    await group?.collectives.close(failure)
  }
}

/** Where another of several processes was told to stop, as if this one had been ended for it. */
export const exitCodeOf = ({ reason }: AbortSignal): number => exitCodes[(reason as Interrupt | undefined) ?? 'SIGTERM']
