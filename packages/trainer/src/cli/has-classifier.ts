/** Whether a model classifies, before its weights are read. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describesClassifier } from '@vitral/core/files'

/** Asks its config.json; a folder without one, or with one that is no JSON, is refused by who loads it. */
export async function hasClassifier(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}')
  try {
    return describesClassifier(JSON.parse(text))
  } catch {
    return true
  }
}
