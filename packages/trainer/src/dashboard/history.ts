/** What a run has done so far, for a page that is opened late: read from its log, and thinned to what a screen shows. */

/** A step, or the mean of some that follow one another. */
export interface StepPoint {
  /** Last of its steps. */
  step: number
  loss: number
  lr: number
  imagesPerSecond: number
  gradNorm?: number
}

export interface EvaluationPoint {
  epoch: number
  step: number
  accuracy: number
  /** Top-5 accuracy, of images of one class each; null of five classes or fewer. */
  top5?: number | null
  /** Mean average precision, of images that may have several classes. */
  meanAveragePrecision?: number
  /** Seconds of the run so far. */
  seconds: number
  loss: number
}

export interface History {
  steps: StepPoint[]
  evaluations: EvaluationPoint[]
  /** Steps that the gradient scaler left out. */
  skippedSteps?: number
}

/** More points than this than a chart has columns. */
const maxPoints = 2000

/** @param text of a run's metrics.jsonl; of a file that is not there yet none */
export function parseHistory(text: string): History {
  const lines = text.split('\n')
  const history: History = { steps: [], evaluations: [] }
  for (const line of lines) {
    const entry = parse(line)
    if (entry?.event === 'step') history.steps.push(stepPoint(entry as unknown as StepPoint))
    if (entry?.event === 'step' && entry.skipped) history.skippedSteps = (history.skippedSteps ?? 0) + 1
    if (entry?.event === 'epoch' || entry?.event === 'evaluation')
      history.evaluations.push(evaluationPoint(entry as unknown as EvaluationPoint))
  }
  return { ...history, steps: thin(history.steps, maxPoints) }
}

export const stepPoint = ({ step, loss, lr, imagesPerSecond, gradNorm }: StepPoint): StepPoint => ({
  ...{ step, loss, lr, imagesPerSecond, gradNorm },
})

export const evaluationPoint = (point: EvaluationPoint): EvaluationPoint => {
  const { epoch, step, accuracy, top5, meanAveragePrecision, loss, seconds } = point
  return { epoch, step, accuracy, top5, meanAveragePrecision, loss, seconds }
}

/** At most `limit` points: means of equally many neighbours. */
export function thin(points: readonly StepPoint[], limit: number): StepPoint[] {
  const size = Math.ceil(points.length / limit)
  if (size <= 1) return [...points]
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size),
  )
  return groups.map(group => {
    const { step, lr } = group.at(-1) as StepPoint
    const mean = (field: keyof StepPoint): number => {
      const values = group.map(point => point[field]).filter(Number.isFinite) as number[]
      return values.reduce((sum, value) => sum + value, 0) / values.length
    }
    return {
      ...{ step, lr, loss: mean('loss'), imagesPerSecond: mean('imagesPerSecond') },
      ...(group.some(({ gradNorm }) => gradNorm !== undefined) && { gradNorm: mean('gradNorm') }),
    }
  })
}

function parse(line: string): { event: string; skipped?: true } | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined // the end of the file, or a line that is being written
  }
}
