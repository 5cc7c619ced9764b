/** One round of an evaluation in several processes: each has scored a batch, and all get to know every score. */
import type { Collectives } from '../ddp/collectives.ts'
import { exchange } from '../ddp/exchange.ts'

export interface Round {
  /** Scores of the process's batch; afterwards of all batches, in the order of the ranks, which is that of one process. */
  scores: number[][]
  /** The process had no batch any more; afterwards, none had. */
  ended: boolean
  /** The process is to stop; afterwards, one of them is. */
  stop: boolean
}

export async function shareScores(collectives: Collectives, own: Round): Promise<Round> {
  if (collectives.worldSize === 1) return own
  const { scores, ended, stop } = own
  const message = [Number(ended), Number(stop), scores.length, ...scores.flat()]
  const all = await exchange(collectives, message, { equal: false })
  return {
    scores: all.flatMap(([, , length = 0, ...numbers]) => unpack(numbers, length)),
    ended: all.every(([hasEnded]) => hasEnded === 1),
    stop: all.some(([, stops]) => stops === 1),
  }
}

const unpack = (numbers: readonly number[], length: number): number[][] => {
  const width = numbers.length / length
  return Array.from({ length }, (_, i) => numbers.slice(i * width, (i + 1) * width))
}
