/** Those who watch a run, as one: each is told everything, whatever another of them does. */
import type { EpochReport, StepReport, TestReport, TrainingObserver, TrainingResult } from './events.ts'

interface Reports {
  onStep: StepReport
  onEvaluationBatch: number
  onEpoch: EpochReport
  onEvaluation: EpochReport
  onTestBatch: number
  onTest: TestReport
  onEnd: TrainingResult
}

export class ObserverGroup {
  readonly #observers: TrainingObserver[] = []
  #failure?: { event: keyof Reports; error: unknown }

  add(observer: TrainingObserver): void {
    this.#observers.push(observer)
  }

  /** Whether one of them threw: then the run is to save its state and stop. */
  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** Tells them in their order, and waits for those that return a promise. Never throws: see `rethrow`. */
  async tell<Event extends keyof Reports>(event: Event, report: Reports[Event]): Promise<void> {
    for (const observer of this.#observers)
      try {
        await observer[event]?.(report as never)
      } catch (error) {
        this.#failure ??= { event, error }
      }
  }

  /** @throws what the first of them threw, if one did, saying that the run stopped for it after this step. */
  rethrow(step: number): void {
    if (!this.#failure) return
    const { event, error } = this.#failure
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(
      `An observer's ${event} threw, so the run stopped after step ${step}, its state saved; it can be resumed. It threw: ${message}`,
      { cause: error },
    )
  }
}
