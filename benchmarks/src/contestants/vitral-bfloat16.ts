/** Vitral on its native backend, its products in bfloat16. */
import { deviceInfo, setThreads } from '@vitral/backend-node'
import { useBackend } from '@vitral/core'
import { modelWork } from './model.ts'
import { serve } from './serve.ts'

await serve(async options => {
  await useBackend('native')
  setThreads(options.threads)
  return modelWork(`Vitral native (${deviceInfo().instructionSet}), bfloat16`, options, 'bfloat16')
})
