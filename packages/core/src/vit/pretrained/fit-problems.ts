/** Messages about tensors that do not fit a model: the first few of each kind, and how many more there are. */
import { shortText } from '../../text.ts'

export interface Misfits {
  /** Sentences about tensors of another shape. */
  others: readonly string[]
  /** Names of tensors that the folder lacks. */
  missing: readonly string[]
  /** Names of tensors that the model lacks. */
  unknown: readonly string[]
}

/** Lines of each kind; nobody reads more. */
const MOST = 5

/** One message for each tensor, in one line. */
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
