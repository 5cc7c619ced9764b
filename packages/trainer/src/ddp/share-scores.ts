/** One round of an evaluation in several processes: each has scored a batch, and all get to know every score. */
import type { ImageScore } from '../metrics.ts'
import type { Collectives } from './collectives.ts'
import { exchange } from './exchange.ts'

export interface Round {
  /** Of the process's batch; afterwards of all batches, in the order of the ranks, which is that of one process. */
  scores: ImageScore[]
  /** The process had no batch any more; afterwards, none had. */
  ended: boolean
  /** The process is to stop; afterwards, one of them is. */
  stop: boolean
}

const fields = ['target', 'rank', 'loss', 'predicted', 'confidence'] as const

export async function shareScores(collectives: Collectives, own: Round): Promise<Round> {
  if (collectives.worldSize === 1) return own
  const { scores, ended, stop } = own
  const message = [Number(ended), Number(stop), ...scores.flatMap(score => fields.map(field => score[field]))]
  const all = await exchange(collectives, message)
  return {
    scores: all.flatMap(([, , ...numbers]) => unpack(numbers)),
    ended: all.every(([hasEnded]) => hasEnded === 1),
    stop: all.some(([, stops]) => stops === 1),
  }
}

const unpack = (numbers: readonly number[]): ImageScore[] =>
  Array.from({ length: numbers.length / fields.length }, (_, i) => {
    const [target, rank, loss, predicted, confidence] = numbers.slice(i * fields.length) as [
      number,
      number,
      number,
      number,
      number,
    ]
    return { target, rank, loss, predicted, confidence }
  })
