/** Text of files that others made, safe to print: labels, class names, file names, what errors quote of them. */

/**
 * Control characters (C0, DEL and C1, which terminals obey), Unicode's line ends, and the marks that turn the direction
 * of writing around: a name with them could clear the screen, set the window's title or make up lines of its own.
 */
const unsafe = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * The text in one line, its control characters written as JSON writes them. Everything that is printed of a file's
 * strings passes this function; text without such characters is unchanged.
 *
 * @example
 * printable('cat\u001b[2J\n100% dog') // 'cat\\u001b[2J\\n100% dog'
 */
export const printable = (text: string): string =>
  text.replaceAll(unsafe, character => names[character] ?? escaped(character))

/** The same of text whose line ends are its writer's own: each line by itself. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/** JSON in one line, with escapes also for what JSON leaves as it is and a terminal may obey; it reads back the same. */
export const jsonLine = (value: unknown): string => JSON.stringify(value).replaceAll(unsafe, escaped)

/** A text of a file in at most 100 characters, safe to print. */
export const shortText = (text: string): string => printable(text.length > 100 ? `${text.slice(0, 99)}…` : text)

/**
 * The first names of a list, safe to print, and how many more there are: a message stays readable whatever a file holds.
 *
 * @example
 * listNames(['a', 'b', 'c'], 2) // 'a, b and 1 more'
 */
export function listNames(names: readonly string[], most: number = 5): string {
  const first = names.slice(0, most).map(shortText).join(', ')
  return names.length <= most ? first : `${first} and ${names.length - most} more`
}

/**
 * All of a few names, as what may be chosen from.
 *
 * @example
 * listChoices(['jpeg', 'png', 'webp']) // 'jpeg, png or webp'
 */
export const listChoices = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`

/** The message of an error's first cause: what fetch fails of is often two errors deep ("fetch failed"). */
export function rootMessage(error: unknown): string {
  let root = error as Error
  while (root.cause instanceof Error && root.cause.message) root = root.cause
  return root.message
}

/**
 * A share as a percentage.
 *
 * @example
 * percent(0.6125) // '61.25%'
 */
export const percent = (share: number, digits: number = 2): string => `${(100 * share).toFixed(digits)}%`
