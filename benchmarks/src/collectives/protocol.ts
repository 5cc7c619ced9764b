/**
 * The line protocol between the harness and the ranks, of which the first speaks for all. Each gets RankOptions as JSON in
 * its last argument; the first writes RankReady once they have connected and a sum was right. It then answers each line, a
 * RankRequest, with the milliseconds that the slowest needed for all the operations.
 */
import type { NativeEngine } from '@vitral/backend-node/collectives'

export interface RankOptions {
  engine: NativeEngine
  /** Otherwise mpirun says it. */
  rank?: number
  worldSize: number
  id: string
  /** Of the kernels, which do nothing here. */
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
  milliseconds: number
}
