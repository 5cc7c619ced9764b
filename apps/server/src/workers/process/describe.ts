/** The entry of a worker process that describes a model folder by its JSON files. */

import type { Header } from '../../ipc/framing.ts'
import type { ModelSettings } from '../model-calls.ts'
import { describeFolder } from './describe-model.ts'
import { serve } from './serve.ts'

serve({
  async describe(header) {
    const description = await describeFolder(header as unknown as ModelSettings)
    return { header: { description } as unknown as Header }
  },
})
