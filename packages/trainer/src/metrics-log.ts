/** metrics.jsonl: one line for each step, each evaluation and the test, for people, plots and reports. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { writeError, writeFileAside } from '@vitral/core'
import type { Evaluation } from './evaluate.ts'
import type { TrainingObserver } from './training-events.ts'

/**
 * Appends to the log of a run.
 *
 * @param position where the run goes on; lines after it are of a part that is done again, and are dropped.
 */
export async function metricsLog(path: string, position: Position): Promise<TrainingObserver> {
  const kept = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => isBefore(position, line))
    : []
  await writeFileAside(path, kept.map(line => `${line}\n`).join(''))
  const append = (line: object) => {
    const text = `${JSON.stringify(line)}\n`
    try {
      appendFileSync(path, text)
    } catch (error) {
      throw writeError(error, { path, bytes: text.length })
    }
  }
  return {
    onStep: ({ epoch, step, lr, loss, gradNorm, imagesPerSecond, unusedParameters }) =>
      append({ event: 'step', epoch, step, lr, loss, gradNorm, imagesPerSecond, unusedParameters }),
    onEpoch: ({ epoch, step, trainLoss, evaluation, isBest, seconds }) =>
      append({ event: 'epoch', epoch, step, trainLoss, ...withoutTables(evaluation), isBest, seconds }),
    onTest: ({ epoch, evaluation }) => append({ event: 'test', epoch, ...withoutTables(evaluation) }),
  }
}

/** Of a thousand classes the confusion is a million numbers; `vitral eval --json` has it. */
const withoutTables = (evaluation: Evaluation) => {
  if (!('confusion' in evaluation)) return evaluation
  const { confusion, calibration, ...rest } = evaluation
  return rest
}

interface Position {
  /** Epochs evaluated. */
  epoch: number
  /** Steps trained. */
  step: number
  /** There once the run is tested. */
  test?: object
}

function isBefore(position: Position, line: string): boolean {
  try {
    const { event, epoch, step } = JSON.parse(line) as Position & { event: string }
    if (event === 'test') return position.test !== undefined
    return event === 'epoch' ? epoch <= position.epoch : step <= position.step
  } catch {
    return false // the last line of a run that was killed while it wrote
  }
}
