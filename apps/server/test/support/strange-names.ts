/** Invalid names of models and versions: path traversals, and names with a meaning in JavaScript. */
import { basename } from 'node:path'

/** Spellings of a path, plain and such that a check for `../../` may miss. */
const spellings: readonly ((path: string) => string)[] = [
  path => path,
  path => path.replaceAll('/', '%2f'),
  path => path.replaceAll('.', '%2e').replaceAll('/', '%2F'),
  path => path.replaceAll('/', '\\'),
  path => path.replaceAll('/', '%5c'),
  path => path.replaceAll('.', '%252e').replaceAll('/', '%252f'),
  // An overlong slash, and the wide forms that compatibility normalisation makes dots and slashes of.
  path => path.replaceAll('/', '%c0%af'),
  path => path.replaceAll('.', '%ef%bc%8e').replaceAll('/', '%ef%bc%8f'),
  path => `${path.replaceAll('/', '%2f')}%00`,
]

/**
 * For an address, where most are escaped already.
 *
 * @param path absolute, of a file or folder that no client may reach: from a folder beside it, and from anywhere
 */
export function strangeNames(path: string): string[] {
  const name = basename(path)
  const paths = [
    path,
    `../${name}`,
    `../../${name}`,
    `tiny/../${name}`,
    `....//${name}`,
    '../../'.repeat(20) + path.slice(1),
  ]
  return [
    ...paths.flatMap(path => spellings.map(spell => spell(path))),
    ...['%2e%2e%2f', '%5c', '%00', 'a%00', `${name}%00tiny`, `file:%2f%2f${path.replaceAll('/', '%2f')}`],
    ...['__proto__', 'constructor', 'e%CC%81', '~', '%24HOME', 'x'.repeat(10_000)],
  ]
}
