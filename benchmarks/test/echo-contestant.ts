/** A contestant that computes nothing, for testing the protocol. */
import { serve } from '../src/contestants/serve.ts'

await serve(async options => {
  if (options.modelFolder === 'broken') throw new Error('the model folder is broken')
  let step = 0
  return {
    title: `echo, ${options.threads} threads`,
    logits: async () => Float32Array.of(0.5, -1),
    run: async () => ({ loss: ++step }),
  }
})
