/** A process that holds one model and computes batches with it. */
import { bytesOf, type Header } from '../framing.ts'
import { type ComputeCall, type ModelSettings, outputLayout, splitInputs } from '../model-calls.ts'
import type { LoadedModel } from './load-model.ts'
import { serve } from './serve.ts'

/** @param load told what the server wants; its model answers from then on */
export function serveModel(load: (settings: ModelSettings) => Promise<LoadedModel>): void {
  let model: LoadedModel | undefined
  serve({
    async load(header) {
      model = await load((header as unknown as { settings: ModelSettings }).settings)
      return { header: { description: model.description } as unknown as Header }
    },
    async compute(header, body) {
      if (!model) throw new Error('No model has been loaded.')
      const { inputs, wanted } = header as unknown as ComputeCall
      const outputs = await model.compute(splitInputs(inputs, body), wanted)
      const { layout, arrays } = outputLayout(outputs)
      return { header: { layout, memory: process.memoryUsage.rss() }, bodies: arrays.map(bytesOf) }
    },
  })
}
