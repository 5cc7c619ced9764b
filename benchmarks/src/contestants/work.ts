/** What a contestant does, whatever asks for it. */
import type { Ran } from '../protocol.ts'

export interface Work {
  /** What runs, with versions. */
  title: string
  logits(): Promise<ArrayLike<number>>
  /** One forward pass or training step, until its result is in memory. */
  run(): Promise<{ loss?: number }>
}

/** What runs the contestant. */
export interface Engine {
  /** With its version. */
  name: string
  inPage: boolean
  /** What products are computed in, where the harness asks for another than float32. */
  precision: 'float32' | 'int8'
}

/** The time of a run, and what it returns. */
export async function timed(run: () => Promise<object>): Promise<Ran> {
  const start = performance.now()
  const result = await run()
  return { milliseconds: performance.now() - start, ...result }
}
