/** metrics.jsonl: one line for each step, each evaluation and the test, for people, plots and reports. */
import { disk, writeFileAtomic } from '@vitral/core/files'
import type { Evaluation } from '../evaluation/evaluate.ts'
import type { EpochReport, TrainingObserver } from './events.ts'

/**
 * Appends to the log of a run.
 *
 * @param position where the run goes on; lines after it are of a part that is done again, and are dropped.
 */
export async function metricsLog(path: string, position: Position): Promise<TrainingObserver> {
  const lines = (await disk.exists(path)) ? (await disk.readText(path)).split('\n') : []
  const kept = lines.filter(line => isBefore(position, line))
  await writeFileAtomic(path, kept.map(line => `${line}\n`).join(''))
  const append = (line: object): Promise<void> =>
    disk.append(path, new TextEncoder().encode(`${JSON.stringify(line)}\n`))
  return {
    onStep: ({ epoch, step, lr, loss, gradNorm, skipped, imagesPerSecond, unusedParameters }) =>
      append({ event: 'step', epoch, step, lr, loss, gradNorm, skipped, imagesPerSecond, unusedParameters }),
    onEpoch: report => append(evaluationLine('epoch', report)),
    onEvaluation: report => append(evaluationLine('evaluation', report)),
    onTest: ({ epoch, evaluation }) => append({ event: 'test', epoch, ...withoutTables(evaluation) }),
  }
}

const evaluationLine = (event: string, report: EpochReport): object => {
  const { epoch, step, trainLoss, skippedSteps, evaluation, isBest, seconds } = report
  return { event, epoch, step, trainLoss, skippedSteps, ...withoutTables(evaluation), isBest, seconds }
}

/** Each class's own figures are in every line up to so many classes: a run of many has them for its best model alone. */
const mostClasses = 100

/** Tables are in evaluation.json, of the best model, and in `vitral eval --json`. */
const withoutTables = (evaluation: Evaluation) => {
  if (!('confusion' in evaluation)) return evaluation
  const { confusion, confusionCells, calibration, perClass, ...rest } = evaluation
  return perClass.length > mostClasses ? rest : { ...rest, perClass }
}

interface Position {
  /** Epochs evaluated. */
  epoch: number
  /** Steps trained. */
  step: number
  /** Steps trained when the last evaluation was made. */
  evaluatedStep?: number
  /** There once the run is tested. */
  test?: object
}

function isBefore(position: Position, line: string): boolean {
  try {
    const { event, epoch, step } = JSON.parse(line) as Position & { event: string }
    if (event === 'test') return position.test !== undefined
    if (event === 'evaluation') return step <= (position.evaluatedStep ?? 0)
    return event === 'epoch' ? epoch <= position.epoch : step <= position.step
  } catch {
    return false // the last line of a run that was killed while it wrote
  }
}
