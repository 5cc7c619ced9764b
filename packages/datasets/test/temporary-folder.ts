/** A folder of a test's own. */
import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes a folder that is removed after the test, or the file of tests, that asks for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-datasets-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
