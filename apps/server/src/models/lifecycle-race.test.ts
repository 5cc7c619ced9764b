/**
 * Models that are loaded, unloaded and run by many at once, in any order: every request is answered, and the last operation
 * counts. RACE_SECONDS=60 and RACE_SEED=7 in the environment go further.
 */
import { afterAll, expect, test } from 'bun:test'
import { randomFrom } from '../../test/support/random.ts'
import { logitsOf, pixelsOf, removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import { EngineError } from '../engine.ts'
import { createEngine } from './create-engine.ts'

const seconds = Number(process.env.RACE_SECONDS ?? 3)
const random = randomFrom(Number(process.env.RACE_SEED ?? 1))

afterAll(removeFolders)

test(`ten clients that load, unload and run a model for ${seconds} seconds are all answered`, async () => {
  const names = ['a', 'b']
  const folders = await Promise.all(names.map((_, seed) => tinyModel({ seed })))
  const models = names.map((name, i) => ({ name, folder: folders[i] as string, backend: 'cpu' as const }))
  const engine = await createEngine({ models, timeout: 60_000, queueTimeout: 60_000 })
  const loaded = engine.processes().length
  const pixelValues = pixelsOf(3)
  const expected = await Promise.all(folders.map(async folder => (await logitsOf(folder, [pixelValues]))[0] ?? []))

  const ask = async (which: number): Promise<void> => {
    const { outputs } = await engine.run({ model: names[which] as string, task: 'classify', inputs: [{ pixelValues }] })
    for (const [i, value] of expected[which]?.entries() ?? []) expect(outputs[0]?.logits?.[i]).toBeCloseTo(value, 4)
  }
  const refusals: string[] = []
  const end = performance.now() + 1000 * seconds
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const [which, what] = [Math.floor(random() * names.length), random()]
      const name = names[which] as string
      const done = what < 0.05 ? engine.reload(name) : what < 0.1 ? engine.unload(name) : ask(which)
      await done.catch((error: unknown) => {
        if (!(error instanceof EngineError)) throw error
        refusals.push(`${error.code}: ${error.message}`)
      })
    }
  }
  await Promise.all(Array.from({ length: 10 }, client))
  expect(refusals).toEqual([])

  await Promise.all(names.map(name => engine.unload(name)))
  expect(engine.models().map(({ state }) => state)).toEqual(['unloaded', 'unloaded'])
  while (engine.processes().length > loaded - names.length) await Bun.sleep(10)
  await Promise.all(names.map(name => engine.reload(name)))
  expect(engine.models().map(({ state }) => state)).toEqual(['ready', 'ready'])
  expect(engine.processes()).toHaveLength(loaded)
  await Promise.all(names.map((_, which) => ask(which)))
  expect(engine.load().every(({ queued, running }) => queued + running === 0)).toBe(true)
  await engine.close()
}, 600_000)
