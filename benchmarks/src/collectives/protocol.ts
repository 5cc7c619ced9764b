/**
 * The line protocol between the harness and the ranks, of which the first speaks for all. Each gets RankOptions as JSON in
 * its last argument; the first writes RankReady once they have connected and prepared. It then answers each line, a request
 * as JSON, with the milliseconds that the slowest needed for all the operations.
 */
import type { NativeEngine } from '@vitral/backend-node/collectives'

export interface RankOptions {
  engine: NativeEngine
  /** Otherwise mpirun says it. */
  rank?: number
  worldSize: number
  id: string
  /** Threads of the kernels. */
  threads: number
}

export interface RankReady {
  /** The ranks' process ids. */
  ready: number[]
}

/** Begins when all ranks have it. */
export interface RankRequest {
  kind: 'sum' | 'copy'
  bytes: number
  operations: number
}

export interface RankAnswer {
  /** Time of the slowest rank. */
  milliseconds: number
  /** Milliseconds that the rank waited for the others which did so least, and thus was the last to come. */
  waiting?: number
}
