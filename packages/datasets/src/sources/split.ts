/** The parts of a data set, and how one that comes in one piece is divided into them. */
import { hashText } from '../random/hash-text.ts'
import { seedFor } from '../random/seeds.ts'
import { compareCodePoints } from './code-points.ts'

/** All splits, in the order of training. */
export const splits = ['train', 'validation', 'test'] as const
/** Name of a part of a data set. */
export type Split = (typeof splits)[number]

/** A split, or all images whichever split they are in. */
export type SplitChoice = Split | 'all'
/** All splits, and `all` for every image. */
export const splitChoices: readonly SplitChoice[] = [...splits, 'all']

/** @throws when the split is none of them */
export function checkSplit(split: SplitChoice): void {
  if (!splitChoices.includes(split)) throw new Error(`split is '${split}'; expected one of ${splitChoices.join(', ')}.`)
}

/** How a data set in one piece is divided. */
export interface SplitOptions {
  /** Shares of each class for the validation and test splits. @default { validation: 0.1, test: 0.1 } */
  fractions?: { validation: number; test: number }
  /** Seed for the choice, uint32. Change it, and images move from training to test. @default 0 */
  seed?: number
}

/** Settings of `stratifiedSplit`. */
export interface StratifiedSplitOptions extends SplitOptions {
  /** Names of the classes, in the order of the labels. @default the labels */
  classes?: readonly string[]
  /** What tells an example from the others of its class; see Dataset. @default its index */
  keyOf?: (index: number) => string
}

/**
 * Divides examples so that each part has its share of every class. A part whose fraction is above 0 gets at least one
 * example of each class that has enough of them; training always does.
 *
 * The order in which a class is divided comes from the seed, the class's name and each example's key alone. So another
 * class moves nothing, and an example more moves no other but those at the ends of the parts, where the counts change.
 *
 * @param labels class of each example
 * @returns indices into the labels, ascending
 * @throws when the fractions are not shares of a whole
 * @example
 * stratifiedSplit([0, 0, 0, 1, 1, 1], { fractions: { validation: 0, test: 0.3 } }).test.length // 2
 */
export function stratifiedSplit(
  labels: ArrayLike<number>,
  { fractions = { validation: 0.1, test: 0.1 }, seed = 0, classes, keyOf = String }: StratifiedSplitOptions = {},
): Record<Split, number[]> {
  const { validation, test } = fractions
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    throw new Error(
      `fractions are validation ${validation} and test ${test}; expected shares from 0 whose sum is below 1.`,
    )
  const parts: Record<Split, number[]> = { train: [], validation: [], test: [] }
  for (const [label, members] of groups(labels)) {
    const start = hashText(seedFor(seed, 'split'), classes?.[label] ?? String(label))
    const order = members
      .map(index => ({ index, key: keyOf(index) }))
      .map(member => ({ ...member, draw: hashText(start, member.key) }))
      .sort((a, b) => a.draw - b.draw || compareCodePoints(a.key, b.key))
    const held = (fraction: number, left: number): number =>
      fraction === 0 ? 0 : Math.min(Math.max(1, Math.round(members.length * fraction)), left)
    const inValidation = held(validation, members.length - 1)
    const inTest = held(test, members.length - 1 - inValidation)
    // Test images first: one that a new image crowds out goes to validation, not to training.
    for (const [i, { index }] of order.entries())
      parts[i < inTest ? 'test' : i < inTest + inValidation ? 'validation' : 'train'].push(index)
  }
  for (const split of splits) parts[split].sort((a, b) => a - b)
  return parts
}

/** A split's examples; validation and test stand in for each other when one of them has none. */
export function choosePart(parts: Record<Split, number[]>, split: Split): number[] {
  const other = { train: parts.train, validation: parts.test, test: parts.validation }
  return parts[split].length > 0 ? parts[split] : other[split]
}

function groups(labels: ArrayLike<number>): Map<number, number[]> {
  const members = new Map<number, number[]>()
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number
    const group = members.get(label)
    if (group) group.push(i)
    else members.set(label, [i])
  }
  return members
}
