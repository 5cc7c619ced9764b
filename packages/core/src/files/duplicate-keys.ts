/** Finds what JSON.parse hides: a key that occurs twice in one object, of which it would silently keep the last. */

/**
 * @param text valid JSON
 * @returns the first key that its object already had, or undefined
 */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | null)[] = [] // the keys of each open object; null for an array
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [symbol] = match
    if (symbol === '{') open.push(new Set())
    else if (symbol === '[') open.push(null)
    else if (symbol === '}' || symbol === ']') open.pop()
    else if (isKey(text, token.lastIndex)) {
      const keys = open.at(-1)
      const key = JSON.parse(symbol) as string
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}

/** A string followed by a colon is a key. */
function isKey(text: string, end: number): boolean {
  let position = end
  while (/\s/.test(text[position] ?? '')) position++
  return text[position] === ':'
}
