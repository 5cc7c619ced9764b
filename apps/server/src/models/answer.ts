/** A request's answers by one version of its model: inputs prepared, queued together, and their outputs put together. */

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
  /** Milliseconds that the inputs may wait, in all: for a decoder and for the model. */
  queueTimeout: number
  /** Told when an input's computation begins, +1, and when it ends, -1. */
  onRunning(change: number): void
}

/** @throws EngineError of the first input that has no answer */
export async function answer(
  version: ModelVersion,
  { inputs, task, best, draw: isDrawn = false }: EngineRequest,
  { ticket, decode, draw, queueTimeout, onRunning }: AnswerOptions,
): Promise<EngineResult> {
  // Features stand in the logits' place there: they are no scores.
  if (!version.description.classifies && task.startsWith('classify'))
    throw new EngineError('no_classifier', 'The model has no classifier: it gives features, at /embed, and no classes.')
  const stages = { queue: 0, decode: 0, compute: 0 }
  const started = performance.now()
  ticket.limitQueue(queueTimeout, () => version.hangs)
  // Decoding has a limit of its own, whose error says what is wrong with the image: it is not the queue's time.
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
  // What is computed is not given up for the time that it waits: its deadline bounds it.
  const drawing: Turn = { isWanted: () => ticket.isWanted }
  const drawn = async (output: EngineOutput, i: number): Promise<EngineOutput> => {
    const input = inputs[i] as EngineInput
    if (!output.attention || !('image' in input))
      throw new EngineError('wrong_shape', 'There is nothing to draw: it takes an image file, and the task explain.')
    return { ...output, drawn: await draw(input.image, output.attention, version.description.geometry, drawing) }
  }
  return {
    outputs: isDrawn ? await Promise.all(computed.map(drawn)) : computed,
    version: version.description.version,
    stages,
  }
}
