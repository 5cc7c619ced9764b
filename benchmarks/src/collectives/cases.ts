/** What is measured of several processes. */
import type { NativeEngine } from '@vitral/backend-node/collectives'

export interface CollectivesCase {
  summary: string
  engines: readonly NativeEngine[]
  ranks: number
  /** Sizes of the arrays that are summed, and how often each is in one run: so often that every run takes about as long. */
  sizes: readonly { bytes: number; operations: number }[]
  rounds: number
}

export const collectivesCases: Readonly<Record<string, CollectivesCase>> = {
  collectives: {
    summary: 'Sums over two processes of one machine, in place, beside both copying an array of 350 MB at once',
    engines: ['local', 'mpi'],
    ranks: 2,
    sizes: [
      { bytes: 1 << 10, operations: 2000 },
      { bytes: 32 << 10, operations: 1500 },
      { bytes: 1 << 20, operations: 250 },
      { bytes: 25 << 20, operations: 10 },
      { bytes: 350_000_000, operations: 1 },
    ],
    rounds: 3,
  },
}

/** What is copied for comparison: the speed of the memory. */
export const copied = { bytes: 350_000_000, operations: 3 }
