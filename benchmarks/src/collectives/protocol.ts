/**
 * The line protocol between the harness and a rank, which is a process of its own. It gets RankOptions as JSON in the only
 * argument and writes {"ready": …} once it has connected and a sum was right. It then answers each line, a RankRequest,
 * with the milliseconds of all the operations, and ends when its input does.
 */
import type { NativeEngine } from '@vitral/backend-node/collectives'

export interface RankOptions {
  engine: NativeEngine
  rank: number
  worldSize: number
  id: string
  /** Of the kernels, which do nothing here. */
  threads: number
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
