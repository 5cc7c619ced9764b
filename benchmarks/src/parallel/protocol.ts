/** What the harness and a training rank say to each other, beside ../collectives/protocol.ts. */
import type { ViTConfig } from '@vitral/core'
import type { RankOptions } from '../collectives/protocol.ts'

export interface TrainRankOptions extends RankOptions {
  config: ViTConfig
  imagesEach: number
}

/**
 * - `overlapped`: as `vitral train` does it, each gradient is sent as soon as it is final
 * - `after`: all are sent when the backward pass has ended
 * - `silent`: all take their step, and nothing is sent: what the machine gives to so many at once
 * - `alone`: the first process trains, the others wait
 */
export type StepKind = 'overlapped' | 'after' | 'silent' | 'alone'

export interface StepRequest {
  kind: StepKind
}
