/** Images that a data set has more than once: in training and test they make a model look better than it is. */
import type { Inspection } from './inspect-dataset.ts'

/** Where an image lies: its split and index. */
export interface Place {
  /** Name of the split. */
  split: string
  /** Index in the split. */
  index: number
  /** Label there. */
  label: number
}

/**
 * Images that are there more than once, each with all its places.
 *
 * @param splits inspections, by the split's name
 * @returns groups of two and more places with the same pixels, in the order of the first of each
 */
export function findDuplicates(splits: Readonly<Record<string, Inspection>>): Place[][] {
  const places = new Map<string, Place[]>()
  for (const [split, { contents }] of Object.entries(splits))
    for (const [index, content] of contents.entries()) {
      if (!content) continue
      const { digest, label } = content
      const group = places.get(digest)
      if (group) group.push({ split, index, label })
      else places.set(digest, [{ split, index, label }])
    }
  return [...places.values()].filter(group => group.length > 1)
}
