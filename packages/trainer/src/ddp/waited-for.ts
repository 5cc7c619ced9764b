/** Of a failure in the collectives: the process that did not come, whose own words tell more. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isLaunchersChild } from './end-with-launcher.ts'
import type { RankMessage } from './rank-process.ts'

/** Milliseconds that another's words have to come first, through its launcher. */
const patience = 500

/** @returns the rank that the message of a failure names, where it is the failure of another */
export function rankWaitedFor(message: string): number | undefined {
  const [, rank, missing] =
    /: rank (\d+)(?: \(process \d+\))?,? (?:has died|has closed|has failed|has not come|rank|failed: )|have not come within \d+ ms: (\d+)/.exec(
      message,
    ) ?? []
  const named = rank ?? missing
  return named === undefined ? undefined : Number(named)
}

/** Before a failure is told: where it is that of another, the launcher is told whose, and that one's own words come first. */
export async function letOthersSpeakFirst(message: string): Promise<void> {
  const waitedFor = rankWaitedFor(message)
  if (waitedFor === undefined) return
  if (isLaunchersChild()) process.send?.({ waitedFor } satisfies RankMessage)
  await sleep(patience)
}
