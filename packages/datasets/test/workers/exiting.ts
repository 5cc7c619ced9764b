/** A thread that ends as soon as it is asked for a batch, as one that the system kills for want of memory. */
import { parent } from '#threads'

parent.onMessage(message => {
  if ((message as { request?: unknown }).request) process.exit(3)
})
