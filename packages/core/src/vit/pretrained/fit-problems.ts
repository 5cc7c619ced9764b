/** What to say of tensors that do not fit a model: the first few of each kind, and how many more there are. */
import { shortText } from '../../text.ts'

export interface Misfits {
  /** Sentences about tensors of another shape. */
  others: readonly string[]
  /** Names. */
  missing: readonly string[]
  /** Names. */
  unknown: readonly string[]
}

/** More lines are read by nobody. */
const MOST = 5

/** One line each. */
export function fitProblems({ others, missing, unknown }: Misfits): string[] {
  return [
    ...firstOf(others, 'have another shape'),
    ...firstOf(
      missing.map(name => `${shortText(name)} is missing`),
      'are missing',
    ),
    ...firstOf(
      unknown.map(name => `${shortText(name)} is unknown to the model`),
      'are unknown to the model',
    ),
  ]
}

function firstOf(lines: readonly string[], what: string): string[] {
  const first = lines.slice(0, MOST)
  return lines.length <= MOST ? first : [...first, `${lines.length - MOST} more ${what}`]
}
