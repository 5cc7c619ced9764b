/** A thread that takes a request and answers nothing for ever, not even its being ended politely. */
import { parent } from '#threads'

parent.onMessage(message => {
  while ((message as { request?: unknown }).request);
})
