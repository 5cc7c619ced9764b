import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fill } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { killedAtEachCall } from '../../test/fail-points.ts'
import { type BestModel, saveBestModel } from './best-model.ts'
import { clearLeftovers, runPaths } from './folder.ts'

const root = mkdtempSync(join(tmpdir(), 'vitral-best-'))
const paths = runPaths(root)
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

/** With adapters that differ, as after two evaluations of one run. */
function modelOf(seed: number): ViTForImageClassification {
  const model = new ViTForImageClassification(tiny, { seed: 0 })
  model.addAdapters({ rank: 1 })
  for (const [name, parameter] of model.parameters())
    if (name.includes('lora_B')) parameter.assign(fill(parameter.shape, seed))
  return model
}

const bitsOf = (model: ViTForImageClassification): string =>
  JSON.stringify([...model.parameters()].map(([name, value]) => [name, [...value.dataSync()]]))

function opened(model: ViTForImageClassification): string {
  const bits = bitsOf(model)
  model.dispose()
  return bits
}

async function readBest(): Promise<string> {
  await ViTImageProcessor.fromPretrained(paths.best)
  return opened(await ViTForImageClassification.fromPretrained(paths.best))
}

async function readAdapters(): Promise<string> {
  const model = new ViTForImageClassification(tiny, { seed: 0 })
  await model.loadAdapters(paths.adapters)
  return opened(model)
}

test('a process that is killed at any call leaves no model, the one before, or the new one: never a half', async () => {
  const models = [modelOf(1), modelOf(2)]
  const [first, second]: BestModel[] = models.map(model => ({ model, processor }))
  if (!first || !second) expect.unreachable()
  const known: Record<string, string> = {}
  for (const [name, content] of Object.entries({ first, second })) {
    await saveBestModel(paths, content)
    known[await readBest()] = known[await readAdapters()] = name
    rmSync(root, { recursive: true })
    mkdirSync(root)
  }
  const found = async (): Promise<string> => {
    const best = existsSync(paths.best) ? known[await readBest()] : 'none'
    const adapters = existsSync(paths.adapters) ? known[await readAdapters()] : 'none'
    return `${best} ${adapters}`
  }

  const seen = new Set<string>()
  await killedAtEachCall(
    () => saveBestModel(paths, first),
    async killed => {
      seen.add(await found())
      for (const folder of killed ? [paths.best, paths.adapters] : []) rmSync(folder, { recursive: true, force: true })
    },
  )
  expect([...seen]).toEqual(['none none', 'first none', 'first first'])

  seen.clear()
  await killedAtEachCall(
    () => saveBestModel(paths, second),
    async killed => {
      seen.add(await found())
      if (killed) await saveBestModel(paths, first)
    },
  )
  expect([...seen]).toEqual(['first first', 'second first', 'second second'])

  expect(readdirSync(root).length).toBeGreaterThan(2) // folders half written, beside them
  await clearLeftovers(root)
  expect(readdirSync(root).sort()).toEqual(['adapters', 'best'])
  expect(readdirSync(paths.best).sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
  expect(readdirSync(paths.adapters).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
  for (const model of models) model.dispose()
})
