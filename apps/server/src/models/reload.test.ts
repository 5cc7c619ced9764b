/**
 * A model whose folder changes: the new version takes over under load, or is rejected. RELOADS=20 in the environment exchanges a
 * model that many times, with ten thousand requests.
 */
import { afterEach, expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeEngines, create, logits, pixelValues, run, states } from '../../test/support/created-engines.ts'
import { cutInHalf, flipBit, makeNonFinite } from '../../test/support/damage.ts'
import { logitsOf, saveTinyModel, tinyModel } from '../../test/support/tiny-model.ts'
import type { EngineResult } from '../engine.ts'

const reloads = Number(process.env.RELOADS ?? 2)
/** Answered by a version before the next one comes. */
const requestsEach = 500

afterEach(closeEngines)

test('a watched folder is tried again once it is repaired', async () => {
  const folder = await tinyModel()
  const config = readFileSync(join(folder, 'config.json'))
  rmSync(join(folder, 'config.json'))
  const engine = await create([{ name: 'tiny', folder, load: 'on-demand' }], { watchInterval: 20 })
  await expect(run(engine)).rejects.toMatchObject({ code: 'model_failed' })
  writeFileSync(join(folder, 'config.json'), config)
  while (states(engine)[0] === 'failed') await Bun.sleep(10)
  expect((await run(engine)).outputs).toHaveLength(1)
})

test('a changed folder takes over under load: no request is lost, and each answer is of one version', async () => {
  const folder = await tinyModel({ seed: 1 })
  const engine = await create([{ name: 'tiny', folder }], { watchInterval: 20 })
  const expected = new Map<string, number[]>()
  const learn = async (): Promise<void> => {
    const { version } = await run(engine)
    const [logits] = await logitsOf(folder, [pixelValues])
    expected.set(version, logits as number[])
    const isOf = (answer: EngineResult): boolean => answer.version === version
    while (answers.filter(isOf).length < requestsEach) await Bun.sleep(20)
  }
  let stop = false
  const answers: EngineResult[] = []
  const clients = Array.from({ length: 4 }, async () => {
    while (!stop) answers.push(await run(engine))
  })
  await learn()
  for (let seed = 2; seed < 2 + reloads; seed++) {
    const before = engine.models()[0]?.version
    await saveTinyModel(folder, { seed })
    while (engine.models()[0]?.version === before) await Bun.sleep(10)
    await learn()
    expect(engine.ready()).toBe(true)
  }
  stop = true
  await Promise.all(clients)
  expect(expected.size).toBe(1 + reloads)
  expect(new Set(answers.map(({ version }) => version)).size).toBe(1 + reloads)
  for (const answer of answers)
    for (const [i, value] of logits(answer).entries())
      expect(value).toBeCloseTo(expected.get(answer.version)?.[i] ?? 0, 4)
}, 600_000)

test.each([
  ['is cut off', (folder: string) => cutInHalf(join(folder, 'model.safetensors')), /model\.safetensors/],
  [
    'has a flipped bit',
    (folder: string) => flipBit(join(folder, 'model.safetensors')),
    /model\.safetensors is damaged/,
  ],
  ['gives non-finite values', makeNonFinite, /its weights are damaged/],
  ['has other classes', (folder: string) => saveTinyModel(folder, { numLabels: 4 }), /has 4 classes, .* has 3/],
] as const)('a new version that %s is rejected; the version before stays in service', async (_, damage, cause) => {
  const folder = await tinyModel()
  const engine = await create([{ name: 'tiny', folder }], { watchInterval: 0 })
  const before = await run(engine)
  await damage(folder)
  await expect(engine.reload('tiny')).rejects.toThrow(cause)
  expect(engine.ready()).toBe(true)
  expect(engine.models()[0]).toMatchObject({ state: 'ready', version: before.version })
  expect(engine.models()[0]?.error).toMatch(cause)
  expect(await run(engine)).toMatchObject({ outputs: before.outputs, version: before.version })
})
