/**
 * Formats the C++ of native/ by native/.clang-format, as biome formats TypeScript:
 *
 *   bun scripts/format-native.ts [--check]
 *
 * With --check nothing is written, and a file that would change fails the command.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { format } from '@wasm-fmt/clang-format'

const native = resolve(import.meta.dirname, '../native')
const style = readFileSync(join(native, '.clang-format'), 'utf8')
const check = process.argv.includes('--check')

const changed: string[] = []
for (const path of readdirSync(native, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!/\.(cpp|h)$/.test(path)) continue
  const source = readFileSync(join(native, path), 'utf8')
  const formatted = format(source, path, style)
  if (formatted === source) continue
  changed.push(path)
  if (!check) writeFileSync(join(native, path), formatted)
}
if (changed.length > 0) console.log(`${check ? 'Not formatted' : 'Formatted'}: ${changed.join(', ')}`)
if (check && changed.length > 0) {
  console.error('Run: bun scripts/format-native.ts in packages/backend-node')
  process.exit(1)
}
