/** Examples to look at: of as many classes as there are, none that is broken. */
import { Random } from '../random/random.ts'
import { seedFor } from '../random/seeds.ts'
import type { Inspection } from './inspect-dataset.ts'

/**
 * Chooses up to `count` examples by the seed: one of each class, then a second one of each, … When there are more classes
 * than examples, classes at even distances.
 *
 * @returns indices, those of a class together
 */
export function chooseExamples({ contents }: Inspection, count: number, seed: number): number[] {
  const byClass: number[][] = []
  for (const [index, content] of contents.entries()) {
    if (!content) continue
    byClass[content.label] ??= []
    byClass[content.label]?.push(index)
  }
  const classes = byClass.flatMap((indices, label) => [shuffle(indices, new Random(seedFor(seed, 'order', label)))])
  const step = Math.max(1, classes.length / count)
  const shown = Array.from({ length: Math.min(count, classes.length) }, (_, i) => classes[Math.floor(i * step)] ?? [])
  const longest = shown.reduce((most, { length }) => Math.max(most, length), 0)
  const rounds = Array.from({ length: longest }, (_, round) =>
    shown.flatMap((indices, place) => (indices[round] === undefined ? [] : [{ place, index: indices[round] }])),
  )
  return rounds
    .flat()
    .slice(0, count)
    .sort((a, b) => a.place - b.place)
    .map(({ index }) => index)
}

const shuffle = (indices: readonly number[], random: Random): number[] =>
  Array.from(random.permutation(indices.length), place => indices[place] as number)
