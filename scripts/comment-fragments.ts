/**
 * Lists comments that begin with a word which leaves their subject unsaid, such as "Of the initial values.", and fails where
 * there are any: `bun scripts/comment-fragments.ts`.
 */
import { readFileSync } from 'node:fs'
import { Glob } from 'bun'

const sources = new Glob('{packages,apps,benchmarks,scripts,examples}/**/*.{ts,cpp,h}')
const skipped = /\/(node_modules|dist|build)\//
/** The beginning of a comment, or of a JSDoc block, and the word. A sentence about "as few as" or "by" itself has none. */
const fragment = /(?:\/\*\*|\/\/|^\s*\*)\s+(Of|Told|That|By|Who|Given)\b(?! (?:course|default)\b)/
/** A line that goes on with the comment above it is no beginning. */
const continues = /^\s*(?:\/\/|\*(?!\/))/

let found = 0
for (const path of [...sources.scanSync('.')].sort()) {
  if (skipped.test(`/${path}`)) continue
  const lines = readFileSync(path, 'utf8').split('\n')
  for (const [i, line] of lines.entries()) {
    if (!fragment.test(line)) continue
    const above = lines[i - 1] ?? ''
    const isFirst = !continues.test(line) || !continues.test(above) || /^\s*(?:\/\*\*|\*)\s*$/.test(above)
    if (!isFirst) continue
    console.log(`${path}:${i + 1}: ${line.trim()}`)
    found++
  }
}
console.log(found === 0 ? 'No comment begins without its subject.' : `${found} comments begin without their subject.`)
process.exit(found === 0 ? 0 : 1)
