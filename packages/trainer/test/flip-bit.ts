/** Damage that keeps a file's length. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Flips one bit of the last byte: of a model's file, of its last weight. */
export function flipBit(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.with(-1, (bytes.at(-1) as number) ^ 1))
}
