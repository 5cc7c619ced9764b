/** Serves one model in a worker process: loads it and computes batches. */
import { bytesOf, type Header } from '../../ipc/framing.ts'
import { type ComputeCall, type ComputeReply, type ModelSettings, outputLayout, splitInputs } from '../model-calls.ts'
import { finishOutput } from './finish-output.ts'
import { computesNumbers, type LoadedModel } from './load-model.ts'
import { serve } from './serve.ts'

/** @param load loads the model by the server's settings; called once, before the first batch */
export function serveModel(load: (settings: ModelSettings) => Promise<LoadedModel>): void {
  let model: LoadedModel | undefined
  serve({
    async load(header) {
      model = await load((header as unknown as { settings: ModelSettings }).settings)
      return { header: { description: model.description } as unknown as Header }
    },
    async compute(header, body) {
      if (!model) throw new Error('No model has been loaded.')
      const { description, compute } = model
      const { inputs } = header as unknown as ComputeCall
      const features = inputs.some(({ task }) => task.endsWith('embed'))
      const attention = inputs.some(({ task }) => task === 'explain')
      const computed = await compute(splitInputs(inputs, body), { features, attention })
      const outputs = computed.map((output, i) => finishOutput(output, inputs[i], description))
      // A known good input tells whether the model is broken or the request's values overflow.
      const modelIsNonFinite = outputs.includes(null) && !(await computesNumbers(model))
      const { layout, arrays } = outputLayout(outputs)
      const reply: ComputeReply = { layout, memory: process.memoryUsage.rss(), modelIsNonFinite }
      return { header: reply as unknown as Header, bodies: arrays.map(bytesOf) }
    },
  })
}
