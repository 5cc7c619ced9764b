import { expect, test } from 'bun:test'
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
  expect(Object.keys(core).length).toBeLessThanOrEqual(45)
})
