/** Vitral on its backend `webgpu`, in Bun on Dawn; the first argument may be a precision. */
import { webgpuAdapter } from '@vitral/backend-web'
import { type ComputeDtype, useBackend } from '@vitral/core'
import { modelWork } from './model.ts'
import { serve } from './serve.ts'

const precision = (process.argv[3] ? process.argv[2] : 'float32') as ComputeDtype

await serve(async options => {
  await useBackend('webgpu')
  const { name, emulated } = await webgpuAdapter()
  const title = `Vitral webgpu (${name}${emulated ? ', emulated' : ''})${precision === 'float32' ? '' : `, ${precision}`}`
  return modelWork(title, options, precision)
})
