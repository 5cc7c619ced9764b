/** Finds what JSON.parse hides in a header: keys it would silently drop, and numbers that only look whole once parsed. */

/** An object's current key and those before it; of an array, neither. */
interface Open {
  key: string
  keys: Set<string>
}

/** The reference reader's limit too; a valid header nests three deep. */
const MAX_DEPTH = 128

/** Of a string only its beginning: a pattern for all of it overflows V8's stack when a name has millions of letters. */
const tokens = /["{}[\]]|-?\d[\d.eE+-]*/g

/**
 * @param text valid JSON of a safetensors header
 * @returns what is wrong, or undefined: a key twice in one object, a size or offset such as 8.0, 8e0 or -0, which the
 *   format does not allow, or nesting without end
 */
export function hiddenFault(text: string): string | undefined {
  const open: Open[] = []
  tokens.lastIndex = 0
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const [symbol] = match
    const innermost = open.at(-1)
    if (symbol === '{' || symbol === '[') {
      if (open.push({ key: '', keys: new Set() }) > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`
    } else if (symbol === '}' || symbol === ']') {
      open.pop()
    } else if (symbol === '"') {
      tokens.lastIndex = stringEnd(text, match.index)
      if (!innermost || !isKey(text, tokens.lastIndex)) continue
      innermost.key = JSON.parse(text.slice(match.index, tokens.lastIndex)) as string
      if (innermost.keys.has(innermost.key)) return `has the key '${innermost.key}' twice`
      innermost.keys.add(innermost.key)
    } else {
      const [tensor, field] = open.map(({ key }) => key)
      const counts = field === 'shape' || field === 'data_offsets'
      if (counts && Number.isInteger(Number(symbol)) && /[.eE]|^-0/.test(symbol))
        return `has ${symbol} in ${field} of tensor '${tensor}'; expected a whole number's digits`
    }
  }
  return undefined
}

/** Where the string that begins at `start` ends: after its closing quote. */
function stringEnd(text: string, start: number): number {
  let position = start + 1
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1
  return position + 1
}

/** A string followed by a colon is a key. */
function isKey(text: string, end: number): boolean {
  let position = end
  while (/\s/.test(text[position] ?? '')) position++
  return text[position] === ':'
}
