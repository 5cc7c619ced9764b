/** A copy of the fixture's model folder for each test, to be changed. */
import { afterAll, beforeEach } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SafeTensor } from '../src/files/safetensors/safetensors.ts'
import { readSafetensors, writeSafetensors } from '../src/files/safetensors/safetensors-file.ts'

export interface ModelFolder {
  folder: string
  fixture: string
  weightsPath: () => string
  /** Rewrites the folder's weights. */
  change: (edit: (tensors: Map<string, SafeTensor>) => unknown) => Promise<void>
  editConfig: (edit: (config: Record<string, unknown>) => void) => void
  renamed: (tensors: Map<string, SafeTensor>, rename: (name: string) => string) => Map<string, SafeTensor>
}

export function modelFolder(): ModelFolder {
  const fixture = join(import.meta.dirname, 'fixtures/square/model')
  const folder = mkdtempSync(join(tmpdir(), 'vitral-folder-'))
  const weightsPath = () => join(folder, 'model.safetensors')
  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true })
    cpSync(fixture, folder, { recursive: true })
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  return {
    ...{ folder, fixture, weightsPath },
    renamed: (tensors, rename) => new Map([...tensors].map(([name, tensor]) => [rename(name), tensor])),
    change: async edit => {
      const { tensors } = await readSafetensors(weightsPath())
      const edited = edit(tensors)
      await writeSafetensors(weightsPath(), edited instanceof Map ? edited : tensors)
    },
    editConfig: edit => {
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
      edit(config)
      writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    },
  }
}
