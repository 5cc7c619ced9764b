/** Answers a request with one version of its model: prepares the inputs, queues them together and collects the outputs. */

import { EngineError, type EngineInput, type EngineOutput, type EngineRequest, type EngineResult } from '../engine.ts'
import type { Ticket } from '../queue/ticket.ts'
import type { Decoders, Turn } from '../workers/decoders.ts'
import type { Job, ModelVersion } from './model-version.ts'
import { type Decode, prepareInput } from './prepare-input.ts'

export type Draw = Decoders['draw']

interface AnswerOptions {
  ticket: Ticket
  decode: Decode
  draw: Draw
  /** Milliseconds that the inputs may wait in total, for a decoder and for the model. */
  queueTimeout: number
  /** Called with +1 when an input's computation begins, and with -1 when it ends. */
  onRunning(change: number): void
}

/** @throws EngineError the error of the first input without an answer */
export async function answer(
  version: ModelVersion,
  { inputs, task, best, draw: isDrawn = false }: EngineRequest,
  { ticket, decode, draw, queueTimeout, onRunning }: AnswerOptions,
): Promise<EngineResult> {
  // A model without a classifier has features in place of logits, which are not scores.
  if (!version.description.classifies && task.startsWith('classify'))
    throw new EngineError(
      'no_classifier',
      'The model has no classifier; expected a request for its features, at /embed.',
    )
  const stages = { queue: 0, decode: 0, compute: 0 }
  const started = performance.now()
  ticket.limitQueue(queueTimeout, () => version.hangs)
  // Decoding time does not count as queue time: it has a limit of its own, whose error says what is wrong with the image.
  const decoded: Turn = {
    isWanted: () => ticket.isWanted,
    begin: () => ticket.beginDecoding(),
    end: () => ticket.endDecoding(),
  }
  const preparing = inputs.map(input =>
    prepareInput(input, version.description, image => decode(image, version.description.geometry, decoded)),
  )
  const prepared = await Promise.all(preparing)
  stages.decode = performance.now() - started - ticket.waited
  const outputs = prepared.map(() => Promise.withResolvers<EngineOutput>())
  const jobs = outputs.map(
    ({ resolve, reject }, i): Job => ({
      input: prepared[i] as Job['input'],
      task,
      best,
      get isWanted() {
        return ticket.isWanted
      },
      begin() {
        ticket.begin()
        onRunning(1)
        stages.queue = ticket.waited
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
  const computed = await Promise.all(outputs.map(({ promise }) => promise))
  // Drawing does not count as queue time either: a computed answer is bounded by its deadline alone.
  const drawing: Turn = { isWanted: () => ticket.isWanted }
  const drawn = async (output: EngineOutput, i: number): Promise<EngineOutput> => {
    const input = inputs[i] as EngineInput
    if (!output.attention || !('image' in input))
      throw new EngineError('wrong_shape', 'Attention can only be drawn over an image file, for the task explain.')
    return { ...output, drawn: await draw(input.image, output.attention, version.description.geometry, drawing) }
  }
  return {
    outputs: isDrawn ? await Promise.all(computed.map(drawn)) : computed,
    version: version.description.version,
    stages,
  }
}
