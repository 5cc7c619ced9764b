/**
 * Names of files that are not UTF-8, which other systems and old archives leave behind, as text: each byte that is none of
 * UTF-8's becomes a lone surrogate, U+DC00 and the byte, as in Python's `surrogateescape`. So they can be compared, stored
 * as JSON and sent to workers like other names, and still be opened.
 */
import { Buffer } from 'node:buffer'
import { sep } from 'node:path'

const escaped = /[\uD800-\uDBFF][\uDC00-\uDFFF]|([\uDC80-\uDCFF])/g

/** The text of a name as the file system has it. */
export function textOfName(name: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const whole = (bytes: Uint8Array): string | undefined => {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  }
  let text = ''
  for (let at = 0; at < name.length; ) {
    // The longest encoding of one character is four bytes.
    const length = [1, 2, 3, 4].find(count => at + count <= name.length && whole(name.subarray(at, at + count)))
    text += length ? whole(name.subarray(at, at + length)) : String.fromCharCode(0xdc00 + (name[at] as number))
    at += length ?? 1
  }
  return text
}

/** What the file system takes for a path: its bytes, where some of its names are not UTF-8. */
export function pathOnDisk(path: string): string | Buffer {
  if (!/[\uDC80-\uDCFF]/.test(path)) return path
  const parts: Buffer[] = []
  let start = 0
  for (const match of path.matchAll(escaped)) {
    if (match[1] === undefined) continue // a pair, which is one character
    parts.push(Buffer.from(path.slice(start, match.index)), Buffer.of(match[1].charCodeAt(0) - 0xdc00))
    start = match.index + 1
  }
  return start === 0 ? path : Buffer.concat([...parts, Buffer.from(path.slice(start))])
}

/** The path of a name in a folder, as `join` makes it, but for names that are not UTF-8, which Bun's would lose. */
export const pathIn = (folder: string, name: string): string =>
  folder.endsWith(sep) ? `${folder}${name}` : `${folder}${sep}${name}`
