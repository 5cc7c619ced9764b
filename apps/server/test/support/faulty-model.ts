/** A model's worker process that fails on demand, by the first value of an image. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PreparedInput } from '../../src/workers/model-calls.ts'
import { type LoadedModel, loadModel } from '../../src/workers/process/load-model.ts'
import { serveModel } from '../../src/workers/process/serve-model.ts'
import { FAULTS } from './faults.ts'

serveModel(async settings => {
  if (existsSync(join(settings.folder, 'die'))) process.exit(4)
  return faulty(await loadModel(settings))
})

const orderOf = (input: PreparedInput): number =>
  'pixelValues' in input ? (input.pixelValues[0] as number) : Number.NaN

function faulty({ description, compute }: LoadedModel): LoadedModel {
  let modelIsNonFinite = false
  return {
    description,
    async compute(inputs, wanted) {
      const orders = inputs.map(orderOf)
      const delay = Math.max(0, ...orders.filter(order => order >= FAULTS.delay)) - FAULTS.delay
      if (delay > 0) await Bun.sleep(delay)
      if (orders.includes(FAULTS.throw)) throw new Error('The kernel threw.')
      if (orders.includes(FAULTS.die)) process.kill(process.pid, 'SIGKILL')
      while (orders.includes(FAULTS.hang)) Bun.sleepSync(1000)
      const outputs = await compute(inputs, wanted)
      modelIsNonFinite ||= orders.includes(FAULTS.sicken)
      for (const [i, order] of orders.entries())
        if (modelIsNonFinite || order === FAULTS.nan) outputs[i]?.logits?.fill(Number.NaN)
      return orders.includes(FAULTS.wrongCount) ? outputs.slice(1) : outputs
    },
  }
}
