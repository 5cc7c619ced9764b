/** Names of classes that people take for the same: they differ in letter case, or in how Unicode spells a letter. */

/** The one text for all spellings of it, such as é as one character (Linux) and as two (macOS). */
const composed = (name: string): string => name.normalize('NFC')

const folded = (name: string): string => composed(name).toLowerCase()

/**
 * The class of that name, which may be spelled in another Unicode form where that leaves no doubt.
 *
 * @returns its index, or -1
 */
export function findClass(classes: readonly string[], name: string): number {
  const exact = classes.indexOf(name)
  if (exact >= 0) return exact
  const wanted = composed(name)
  const same = classes.flatMap((other, index) => (composed(other) === wanted ? [index] : []))
  return same.length === 1 ? (same[0] as number) : -1
}

/** Groups of classes whose names differ in letter case or Unicode form alone. */
export function similarClasses(classes: readonly string[]): string[][] {
  const groups = new Map<string, string[]>()
  for (const name of classes) groups.set(folded(name), [...(groups.get(folded(name)) ?? []), name])
  return [...groups.values()].filter(group => group.length > 1)
}
