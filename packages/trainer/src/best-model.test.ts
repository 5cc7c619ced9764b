import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { killedAtEachCall } from '../test/fail-points.ts'
import { saveBestModel } from './best-model.ts'
import { clearLeftovers } from './run-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'vitral-best-'))
const folder = join(root, 'best')
afterAll(() => rmSync(root, { recursive: true }))
beforeAll(() => useBackend('cpu'))

const tiny = {
  imageSize: 4,
  patchSize: 2,
  hiddenSize: 4,
  numHiddenLayers: 1,
  numAttentionHeads: 1,
  intermediateSize: 4,
}
const processor = new ViTImageProcessor({ size: { height: 4, width: 4 } })
const bits = (model: ViTForImageClassification) => [...model.parameters().values()].map(value => [...value.dataSync()])

test('a process that is killed at any call leaves no model, the one before, or the new one: never a half', async () => {
  const [first, second] = [1, 2].map(seed => new ViTForImageClassification(tiny, { seed })) as [
    ViTForImageClassification,
    ViTForImageClassification,
  ]
  const found = async (): Promise<'none' | 'first' | 'second'> => {
    if (!existsSync(folder)) return 'none'
    await ViTImageProcessor.fromPretrained(folder)
    const model = await ViTForImageClassification.fromPretrained(folder)
    const values = bits(model)
    model.dispose()
    expect([bits(first), bits(second)]).toContainEqual(values)
    return Bun.deepEquals(values, bits(first)) ? 'first' : 'second'
  }

  const seen: string[] = []
  const calls = await killedAtEachCall(
    () => saveBestModel(folder, first, processor),
    async killed => {
      seen.push(await found())
      if (killed) rmSync(folder, { recursive: true, force: true })
    },
  )
  expect(seen).toHaveLength(calls + 1)
  expect(new Set(seen)).toEqual(new Set(['none', 'first']))
  expect(seen.at(-1)).toBe('first')

  seen.length = 0
  await killedAtEachCall(
    () => saveBestModel(folder, second, processor),
    async killed => {
      seen.push(await found())
      if (killed) await saveBestModel(folder, first, processor)
    },
  )
  expect(new Set(seen)).toEqual(new Set(['first', 'second']))
  expect(seen.at(-1)).toBe('second')

  expect(readdirSync(root).length).toBeGreaterThan(1) // folders half written, beside it
  await clearLeftovers(root)
  expect(readdirSync(root)).toEqual(['best'])
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
  for (const model of [first, second]) model.dispose()
})
