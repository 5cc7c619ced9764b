/** Models under a memory budget: the least recently used is unloaded, and all answer correctly. */
import { afterEach, expect, test } from 'bun:test'
import { closeEngines, create, events, logits, pixelValues, run, states } from '../../test/support/created-engines.ts'
import { logitsOf, tinyModel } from '../../test/support/tiny-model.ts'
import type { ModelOptions } from './options.ts'

afterEach(closeEngines)

/** Bytes that a model takes once it is loaded. */
async function memoryOf(model: ModelOptions | undefined): Promise<number> {
  const engine = await create([{ ...(model as ModelOptions), load: 'start' }])
  const [memory] = engine.memory()
  await engine.close()
  return memory?.bytes ?? 0
}

test('the least recently used model is unloaded under a memory budget', async () => {
  const names = ['a', 'b', 'c']
  const models = await Promise.all(
    names.map(async (name, seed) => ({ name, folder: await tinyModel({ seed }), load: 'on-demand' as const })),
  )
  const engine = await create(models, { memoryBudget: 2.3 * (await memoryOf(models[0])) })
  for (const name of ['a', 'b', 'a']) await run(engine, name)
  expect(states(engine)).toEqual(['ready', 'ready', 'unloaded'])
  await run(engine, 'c')
  expect(states(engine)).toEqual(['ready', 'unloaded', 'ready'])
  const results = await Promise.all(names.map(name => run(engine, name)))
  expect(new Set(results.map(({ version }) => version)).size).toBe(3)
})

test('models that evict each other and are reloaded meanwhile answer every request correctly', async () => {
  const models = await Promise.all(
    ['a', 'b'].map(async (name, seed) => ({ name, folder: await tinyModel({ seed }), load: 'on-demand' as const })),
  )
  const expected = await Promise.all(models.map(({ folder }) => logitsOf(folder, [pixelValues])))
  const engine = await create(models, { memoryBudget: 1.3 * (await memoryOf(models[0])) })
  const client = async (i: number): Promise<void> => {
    for (let turn = 0; turn < 2; turn++) {
      const which = (i + turn) % 2
      const answer = await run(engine, which ? 'b' : 'a')
      for (const [at, value] of logits(answer).entries()) expect(value).toBeCloseTo(expected[which]?.[0]?.[at] ?? 0, 4)
      if (i === 0) await engine.reload('a')
    }
  }
  await Promise.all(Array.from({ length: 4 }, (_, i) => client(i)))
  expect(events.some(({ event }) => event === 'unloaded')).toBe(true)
})

test('a model larger than the memory budget is rejected', async () => {
  const folder = await tinyModel()
  await expect(create([{ name: 'tiny', folder }], { memoryBudget: 1e6 })).rejects.toThrow(
    /'tiny' in .* cannot be served: It needs about \d+ bytes; expected at most the memory budget of 1000000\./,
  )
})
