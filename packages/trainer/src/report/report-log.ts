/** Keeps the report of a run up to date while it trains. */
import type { RunPaths } from '../run-folder.ts'
import type { TrainingObserver } from '../training-events.ts'
import { type Normalization, writeEvaluation } from './evaluation-file.ts'
import { writeReport } from './report.ts'

/**
 * Writes evaluation.json when a model is the best so far, and once more when it is tested, and the report after each
 * evaluation and at the end; the run's own log is to be told before.
 */
export function reportLog(out: string, paths: RunPaths, normalization: Normalization): TrainingObserver {
  return {
    onEnd: async () => void (await writeReport(out)),
    async onEpoch({ epoch, evaluation, isBest, examples }) {
      if (isBest)
        await writeEvaluation(paths.evaluation, { epoch, images: 'held-out', evaluation, examples }, normalization)
      await writeReport(out)
    },
    async onTest({ epoch, evaluation, examples }) {
      await writeEvaluation(paths.evaluation, { epoch, images: 'test', evaluation, examples }, normalization)
    },
  }
}
