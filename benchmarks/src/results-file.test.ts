import { expect, test } from 'bun:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeResults } from './results-file.ts'

test('a section is replaced where it stands; the others keep their words', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vitral-results-'))
  const path = join(folder, 'RESULTS.md')
  try {
    await writeResults(path, { name: 'one', body: 'first\n\n| a |\n' })
    await writeResults(path, { name: 'two', body: 'second\n\n### Detail\n\nkept' })
    const before = await readFile(path, 'utf8')
    await writeResults(path, { name: 'one', body: 'changed' })
    const after = await readFile(path, 'utf8')
    expect(after).toBe(before.replace('first\n\n| a |', 'changed'))
    expect(after).toStartWith('# Results\n')
    expect([...after.matchAll(/^## .*/gm)].map(String)).toEqual(['## one', '## two'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
