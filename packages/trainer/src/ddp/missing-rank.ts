/** Finds, in an error of the collectives, the rank that is missing, whose own error tells more. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isLaunchersChild } from './end-with-launcher.ts'
import type { RankMessage } from './rank-process.ts'

/** Milliseconds that another's words have to come first, through its launcher. */
const patience = 500

/** @returns the rank for want of which collectives failed, where that is what the error is, or comes of */
export function missingRank(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('waitedFor' in at && typeof at.waitedFor === 'number') return at.waitedFor
  return undefined
}

/** Before a failure is told: where it is that of another, the launcher is told whose, and that one's own words come first. */
export async function letOthersSpeakFirst(error: unknown): Promise<void> {
  const waitedFor = missingRank(error)
  if (waitedFor === undefined) return
  if (isLaunchersChild()) process.send?.({ waitedFor } satisfies RankMessage)
  await sleep(patience)
}
