/** A request's answers by one version of its model: inputs prepared, queued together, and their outputs put together. */
import { EngineError, type EngineOutput, type EngineRequest, type EngineResult } from './engine.ts'
import type { Job, ModelVersion } from './model-version.ts'
import { type Decode, prepareInput } from './prepare-input.ts'
import type { Ticket } from './ticket.ts'

export interface AnswerOptions {
  ticket: Ticket
  decode: Decode
  /** Told when an input's computation begins, +1, and when it ends, -1. */
  onRunning(change: number): void
}

/** @throws EngineError of the first input that has no answer */
export async function answer(
  version: ModelVersion,
  { inputs, task }: EngineRequest,
  { ticket, decode, onRunning }: AnswerOptions,
): Promise<EngineResult> {
  const stages = { queue: 0, decode: 0, compute: 0 }
  const started = performance.now()
  const preparing = inputs.map(input =>
    prepareInput(input, version.description, image => decode(image, version.description.resize, () => ticket.isWanted)),
  )
  const prepared = await Promise.all(preparing)
  const queued = performance.now()
  stages.decode = queued - started
  const outputs = prepared.map(() => Promise.withResolvers<EngineOutput>())
  const jobs = outputs.map(
    ({ resolve, reject }, i): Job => ({
      input: prepared[i] as Job['input'],
      task,
      get isWanted() {
        return ticket.isWanted
      },
      begin() {
        ticket.begin()
        onRunning(1)
        stages.queue = Math.max(stages.queue, performance.now() - queued)
      },
      settle(result, compute) {
        onRunning(-1)
        stages.compute = Math.max(stages.compute, compute)
        if (result instanceof EngineError) reject(result)
        else resolve(result)
      },
    }),
  )
  version.push(jobs)
  return {
    outputs: await Promise.all(outputs.map(({ promise }) => promise)),
    version: version.description.version,
    stages,
  }
}
