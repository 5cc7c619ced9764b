/** The entry of a worker process that describes a model folder by its JSON files. */
import { describeFolder } from './describe-model.ts'
import { serve } from './serve.ts'

serve({
  describe: async settings => ({ reply: await describeFolder(settings) }),
})
