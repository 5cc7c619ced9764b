/** An error as the command tells it: one line. */
import { printableLines } from '@vitral/core/text'
import { reasonOf } from './command.ts'

/** @param command its name, where it is known */
export function printError(command: string | undefined, error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const line = reasonOf(message.trim().replaceAll(/\s*\n\s*/g, ' · '))
  console.error(`vitral${command ? ` ${command}` : ''}${rankUnderMpirun()}: ${line}`)
  if (process.env.VITRAL_DEBUG) console.error(printableLines(String(stack)))
}

/** There all processes write to one terminal; our own launcher marks their lines itself. */
function rankUnderMpirun(): string {
  const { OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, PMI_RANK, PMI_SIZE } = process.env
  const rank = OMPI_COMM_WORLD_RANK ?? PMI_RANK
  return rank === undefined ? '' : ` (rank ${rank} of ${OMPI_COMM_WORLD_SIZE ?? PMI_SIZE})`
}
