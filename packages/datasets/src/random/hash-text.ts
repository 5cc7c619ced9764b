/** A hash of texts and numbers, the same everywhere: to draw by names, and to know data again. */
import { randomBits } from '@vitral/core/image'

/**
 * FNV-1a, begun and ended by core's counter-based bits: fast enough for the paths of a million files.
 *
 * @returns a uint32 that depends on the seed, every character and the length
 */
export function hashText(seed: number, text: string): number {
  let hash = randomBits(seed, text.length)
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return randomBits(hash, text.length)
}
