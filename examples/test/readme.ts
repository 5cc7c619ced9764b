/** The README's first example, letter by letter. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const text = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')

export const firstExample: string = /```ts\n(.*?)```/s.exec(text)?.[1] ?? ''
