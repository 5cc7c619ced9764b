/** A request's answers by one version of its model: inputs prepared, queued together, and their outputs put together. */
import type { Decoders } from './decoders.ts'
import { EngineError, type EngineInput, type EngineOutput, type EngineRequest, type EngineResult } from './engine.ts'
import type { Job, ModelVersion } from './model-version.ts'
import { type Decode, prepareInput } from './prepare-input.ts'
import type { Ticket } from './ticket.ts'

export type Draw = Decoders['draw']

export interface AnswerOptions {
  ticket: Ticket
  decode: Decode
  draw: Draw
  /** Milliseconds that the inputs may wait once they are prepared. */
  queueTimeout: number
  /** Told when an input's computation begins, +1, and when it ends, -1. */
  onRunning(change: number): void
}

/** @throws EngineError of the first input that has no answer */
export async function answer(
  version: ModelVersion,
  { inputs, task, draw: isDrawn = false }: EngineRequest,
  { ticket, decode, draw, queueTimeout, onRunning }: AnswerOptions,
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
  // Not before: decoding has a limit of its own, whose error says what is wrong with the image.
  ticket.limitQueue(queueTimeout, () => version.hangs)
  version.push(jobs)
  const computed = await Promise.all(outputs.map(({ promise }) => promise))
  const drawn = async (output: EngineOutput, i: number): Promise<EngineOutput> => {
    const input = inputs[i] as EngineInput
    if (!output.attention || !('image' in input))
      throw new EngineError('wrong_shape', 'There is nothing to draw: it takes an image file, and the task explain.')
    return { ...output, drawn: await draw(input.image, output.attention, () => ticket.isWanted) }
  }
  return {
    outputs: isDrawn ? await Promise.all(computed.map(drawn)) : computed,
    version: version.description.version,
    stages,
  }
}
