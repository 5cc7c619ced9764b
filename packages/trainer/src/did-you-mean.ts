/** What somebody meant who mistyped a name. */
import { closestMatch } from 'leven'

/**
 * @returns a question that goes after a sentence, or '' where no name is like it
 * @example
 * didYouMean('trian', ['train', 'eval']) // " Did you mean 'train'?"
 */
export function didYouMean(given: string, known: readonly string[]): string {
  // A third of the letters may be wrong, two of a short word: more is another word.
  const maxDistance = Math.max(2, Math.floor(given.length / 3))
  const match = closestMatch(given, known, { maxDistance })
  return match === undefined || given.length < 2 ? '' : ` Did you mean '${match}'?`
}
