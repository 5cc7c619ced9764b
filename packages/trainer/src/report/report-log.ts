/** Keeps the report of a run up to date while it trains. */
import type { TrainingData } from '../data/training-data.ts'
import type { EpochReport, TrainingObserver } from '../run/events.ts'
import type { RunPaths } from '../run/folder.ts'
import { type Normalization, writeEvaluation } from './evaluation-file.ts'
import { writeReport } from './report.ts'

/**
 * Writes evaluation.json when a model is the best so far, and once more when it is tested, and the report after each
 * evaluation and at the end; the run's own log is to be told before.
 */
export function reportLog(
  out: string,
  paths: RunPaths,
  normalization: Normalization,
  data: Pick<TrainingData, 'nameOf' | 'test'> = {},
): TrainingObserver {
  const onEvaluation = async ({ epoch, evaluation, isBest, examples }: EpochReport): Promise<void> => {
    if (isBest)
      await writeEvaluation(
        paths.evaluation,
        { epoch, images: 'validation', evaluation, examples, nameOf: data.nameOf },
        normalization,
      )
    await writeReport(out)
  }
  return {
    onEnd: async () => void (await writeReport(out)),
    onEpoch: onEvaluation,
    onEvaluation,
    async onTest({ epoch, evaluation, examples }) {
      await writeEvaluation(
        paths.evaluation,
        { epoch, images: 'test', evaluation, examples, nameOf: data.test?.nameOf },
        normalization,
      )
    },
  }
}
