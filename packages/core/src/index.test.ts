import { expect, test } from 'bun:test'
import { join } from 'node:path'
import * as core from './index.ts'

test('the root of @vitral/core exports the names that programs rely on', () => {
  for (const name of [
    'useBackend',
    'ViTForImageClassification',
    'ViTModel',
    'ViTImageProcessor',
    'autocast',
    'readSafetensors',
    'writeSafetensors',
  ])
    expect(core).toHaveProperty(name)
})

test('the root of @vitral/core has at most 45 names, types included', async () => {
  const source = await Bun.file(join(import.meta.dirname, 'index.ts')).text()
  const names = [...source.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(',').filter(name => name.trim()),
  )
  expect(names.length).toBeGreaterThan(Object.keys(core).length)
  expect(names.length).toBeLessThanOrEqual(45)
})
