/** A hash of texts and numbers, the same everywhere: to draw by names, and to know data again. */
import { deriveSeed } from '@vitral/core/image'

/** @returns a uint32 that depends on the seed, every character and the length */
export function hashText(seed: number, text: string): number {
  let hash = deriveSeed(seed, text.length)
  for (let i = 0; i < text.length; i++) hash = deriveSeed(hash, text.charCodeAt(i))
  return hash
}
