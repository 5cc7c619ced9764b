/** A thread that fails when it is asked for a batch. */
import { parent } from '#threads'

parent.onMessage(message => {
  if ((message as { request?: unknown }).request) throw new Error('as it was told')
})
