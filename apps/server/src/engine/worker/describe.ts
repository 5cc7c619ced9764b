/** The entry of a process that tells of a model folder what its JSON files say. */
import { describeFolder } from '../describe-model.ts'
import type { Header } from '../framing.ts'
import type { ModelSettings } from '../model-calls.ts'
import { serve } from './serve.ts'

serve({
  async describe(header) {
    const description = await describeFolder(header as unknown as ModelSettings)
    return { header: { description } as unknown as Header }
  },
})
