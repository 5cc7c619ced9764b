/** Serves one model in a worker process: loads it and computes batches. */
import { bytesOf } from '../../ipc/framing.ts'
import { outputLayout, splitInputs } from '../model-calls.ts'
import type { ModelSettings } from '../protocol.ts'
import { finishOutput } from './finish-output.ts'
import { computesNumbers, type LoadedModel } from './load-model.ts'
import { serve } from './serve.ts'

/** @param load loads the model by the server's settings; called once, before the first batch */
export function serveModel(load: (settings: ModelSettings) => Promise<LoadedModel>): void {
  let model: LoadedModel | undefined
  serve({
    async load(settings) {
      model = await load(settings)
      return { reply: model.description }
    },
    async compute({ inputs }, body) {
      if (!model) throw new Error('No model has been loaded.')
      const { description, compute } = model
      const features = inputs.some(({ task }) => task.endsWith('embed'))
      const attention = inputs.some(({ task }) => task === 'explain')
      const computed = await compute(splitInputs(inputs, body), { features, attention })
      const outputs = computed.map((output, i) => finishOutput(output, inputs[i], description))
      // A known good input tells whether the model is broken or the request's values overflow.
      const modelIsNonFinite = outputs.includes(null) && !(await computesNumbers(model))
      const { layout, arrays } = outputLayout(outputs)
      const reply = { layout, memory: process.memoryUsage.rss(), modelIsNonFinite }
      return { reply, bodies: arrays.map(bytesOf) }
    },
  })
}
