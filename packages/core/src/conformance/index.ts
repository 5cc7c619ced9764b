/**
 * The suite a backend has to pass: every op's value and every gradient against plain float64 loops, over many shapes.
 *
 *   import { conformance } from '@vitral/core/conformance'
 *   import { test } from 'bun:test'
 *   await useBackend('native')
 *   conformance({ test })
 */
import { activateCases } from './activate.ts'
import { attentionCases } from './attention.ts'
import { attentionPoolCases } from './attention-pool.ts'
import type { ConformanceCase } from './check.ts'
import { classAttentionCases } from './class-attention.ts'
import { dropoutCases } from './dropout.ts'
import { embedTokensCases } from './embed-tokens.ts'
import { geluCases } from './gelu.ts'
import { insertTokensCases } from './insert-tokens.ts'
import { interpolatePositionsCases } from './interpolate-positions.ts'
import { layerNormCases } from './layer-norm.ts'
import { linearCases } from './linear.ts'
import { loraWeightCases } from './lora-weight.ts'
import { binaryCrossEntropyCases } from './losses/binary-cross-entropy.ts'
import { crossEntropyCases } from './losses/cross-entropy.ts'
import { distillationLossCases } from './losses/distillation-loss.ts'
import { focalLossCases } from './losses/focal-loss.ts'
import { meanSquaredErrorCases } from './losses/mean-squared-error.ts'
import { maskTokensCases } from './mask-tokens.ts'
import { meanTokensCases } from './mean-tokens.ts'
import { normHeadsCases } from './norm-heads.ts'
import { patchEmbedCases } from './patch-embed.ts'
import { qkvCases } from './qkv.ts'
import { relativeBiasCases } from './relative-bias.ts'
import { rotateHeadsCases } from './rotate-heads.ts'
import { scaleRowsCases } from './scale-rows.ts'
import { selectTokenCases } from './select-token.ts'
import { gradNormCases } from './training/grad-norm.ts'
import { optimizerStepCases } from './training/optimizer-step.ts'
import { unscaleCases } from './training/unscale.ts'

export type { ConformanceCase } from './check.ts'

/** Cases that a backend cannot do. */
export interface Skip {
  /** Reason why the backend cannot do it; printed. */
  reason: string
  /** Whether a case of this name is skipped. */
  cases: (name: string) => boolean
}

/** Options of the suite. */
export interface ConformanceOptions {
  /** Registers a test: bun:test's, or any function that runs `run` and reports what it throws. */
  test: (name: string, run: () => Promise<void>) => void
  /** Cases to leave out, with the reason. */
  skip?: readonly Skip[]
  /** Called with each case that is skipped. @default a line on the console */
  onSkip?: (name: string, reason: string) => void
}

/** Every case, in the order in which a forward pass meets the ops. */
export const conformanceCases = (): ConformanceCase[] => [
  ...patchEmbedCases(),
  ...maskTokensCases(),
  ...embedTokensCases(),
  ...insertTokensCases(),
  ...interpolatePositionsCases(),
  ...layerNormCases(),
  ...qkvCases(),
  ...normHeadsCases(),
  ...rotateHeadsCases(),
  ...relativeBiasCases(),
  ...attentionCases(),
  ...classAttentionCases(),
  ...linearCases(),
  ...loraWeightCases(),
  ...scaleRowsCases(),
  ...geluCases(),
  ...activateCases(),
  ...dropoutCases(),
  ...selectTokenCases(),
  ...meanTokensCases(),
  ...attentionPoolCases(),
  ...crossEntropyCases(),
  ...binaryCrossEntropyCases(),
  ...focalLossCases(),
  ...meanSquaredErrorCases(),
  ...distillationLossCases(),
  ...gradNormCases(),
  ...unscaleCases(),
  ...optimizerStepCases(),
]

/** Registers a test for every case. They run on the backend that is current when they run: choose it before. */
export function conformance({ test, skip = [], onSkip = printSkip }: ConformanceOptions): void {
  for (const { name, run } of conformanceCases()) {
    const skipped = skip.find(({ cases }) => cases(name))
    if (skipped) onSkip(name, skipped.reason)
    else test(name, run)
  }
}

const printSkip = (name: string, reason: string): void => console.log(`skipped ${name}: ${reason}`)
