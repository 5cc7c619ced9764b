/**
 * Models that come, change and go: loading, reloading, memory, and the end. RELOADS=20 in the environment exchanges a model
 * so many times under load, with ten thousand requests.
 */
import { afterEach, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cutInHalf, makeNonFinite, resizeProcessor, spoil } from '../../test/damage.ts'
import { FAULTS, inputWith } from '../../test/faults.ts'
import { logitsOf, pixelsOf, removeFolders, saveTinyModel, tinyModel } from '../../test/tiny-model.ts'
import { createEngine, type ManagedEngine } from './create-engine.ts'
import type { EngineResult, ModelDescription } from './engine.ts'
import type { EngineEvent } from './events.ts'
import type { EngineOptions, ModelOptions } from './options.ts'

const reloads = Number(process.env.RELOADS ?? 2)
/** Answered by a version before the next one comes. */
const requestsEach = 500

let engines: ManagedEngine[] = []
let events: EngineEvent[] = []

async function create(models: ModelOptions[], options: Partial<EngineOptions> = {}): Promise<ManagedEngine> {
  const engine = await createEngine({
    models: models.map(model => ({ backend: 'cpu', ...model })),
    modelModule: fileURLToPath(new URL('../../test/faulty-model.ts', import.meta.url)),
    timeout: 60_000,
    queueTimeout: 60_000,
    onEvent: event => events.push(event),
    ...options,
  })
  engines.push(engine)
  return engine
}

afterEach(async () => {
  await Promise.allSettled(engines.map(engine => engine.close()))
  engines = []
  events = []
  removeFolders()
})

const pixelValues = pixelsOf(7)
const run = (engine: ManagedEngine, model = 'tiny', input = { pixelValues }): Promise<EngineResult> =>
  engine.run({ model, task: 'classify', inputs: [input] })
const logits = ({ outputs }: EngineResult): number[] => [...(outputs[0]?.logits ?? [])]
const states = (engine: ManagedEngine): string[] => engine.models().map(({ state }) => state)
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

/** Bytes that a model takes once it is loaded. */
async function memoryOf(model: ModelOptions | undefined): Promise<number> {
  const engine = await create([{ ...(model as ModelOptions), load: 'start' }])
  const [memory] = engine.memory()
  await engine.close()
  return memory?.bytes ?? 0
}

test('names that are no names are refused, and two that are the same', async () => {
  const folder = await tinyModel()
  for (const name of ['', '../x', 'a/b', '.', 'a\0', '-x', 'x'.repeat(65)])
    await expect(create([{ name, folder }])).rejects.toThrow('expected letters, digits')
  await expect(create([{ name: '__proto__', folder }])).rejects.toThrow('expected letters, digits')
  await expect(
    create([
      { name: 'a', folder },
      { name: 'a', folder },
    ]),
  ).rejects.toThrow("Two models are named 'a'")
  await expect(create([{ name: 'a', folder, workers: 0 }])).rejects.toThrow(
    "workers of 'a' is 0; expected a whole number, 1 or more.",
  )
})

test('a folder that cannot be served is an error in one line', async () => {
  const damages: [(folder: string) => unknown, RegExp][] = [
    [folder => rmSync(folder, { recursive: true }), /: its folder does not exist/],
    [folder => rmSync(join(folder, 'model.safetensors')), /has neither model\.safetensors nor/],
    [folder => rmSync(join(folder, 'preprocessor_config.json')), /has no preprocessor_config\.json/],
    [folder => writeFileSync(join(folder, 'config.json'), '{'), /config\.json is not JSON/],
    [folder => cutInHalf(join(folder, 'model.safetensors')), /model\.safetensors/],
    [folder => spoil(folder, tensors => tensors.delete('classifier.bias')), /classifier\.bias is missing/],
    [makeNonFinite, /no finite numbers; its weights are damaged/],
    [folder => resizeProcessor(folder, 32), /images of 32×32, but the model of config\.json takes 16×16/],
  ]
  const damaged = damages.map(async ([damage, message]) => {
    const folder = await tinyModel()
    await damage(folder)
    const error: unknown = await create([{ name: 'tiny', folder }]).catch(error => error)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('\n')
    expect((error as Error).message).toStartWith(`The model 'tiny' in ${folder} cannot be served: `)
  })
  await Promise.all(damaged)
})

test('a model on demand is loaded by its first request, once', async () => {
  const engine = await create([{ name: 'tiny', folder: await tinyModel(), load: 'on-demand' }])
  expect(states(engine)).toEqual(['unloaded'])
  expect(engine.ready()).toBe(true)
  // What it takes and gives is known before its weights are read.
  const { version: none, backend: _, ...described } = engine.models()[0] as ModelDescription
  expect(described).toMatchObject({ labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'], imageSize: [16, 16], numChannels: 3 })
  expect(none).toBe('')
  const results = await Promise.all([run(engine), run(engine), run(engine)])
  expect(engine.models()[0]).toMatchObject({ ...described, state: 'ready', version: results[0]?.version as string })
  expect(new Set(results.map(({ version }) => version)).size).toBe(1)
  expect(events.filter(({ event }) => event === 'loaded')).toHaveLength(1)
})

test('a model on demand that cannot be loaded fails its requests, and is loaded once it has been put right', async () => {
  const folder = await tinyModel()
  const weights = readFileSync(join(folder, 'model.safetensors'))
  cutInHalf(join(folder, 'model.safetensors'))
  const engine = await create([{ name: 'tiny', folder, load: 'on-demand' }])
  const outcomes = await Promise.allSettled([run(engine), run(engine)])
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'model_failed' } })
  expect(states(engine)).toEqual(['failed'])
  writeFileSync(join(folder, 'model.safetensors'), weights)
  await expect(run(engine)).rejects.toMatchObject({ code: 'model_failed' }) // not tried again by every request
  expect(await engine.reload('tiny')).toMatchObject({ state: 'ready' })
  expect((await run(engine)).outputs).toHaveLength(1)
})

test('a folder that is put right while it is watched is tried again', async () => {
  const folder = await tinyModel()
  const config = readFileSync(join(folder, 'config.json'))
  rmSync(join(folder, 'config.json'))
  const engine = await create([{ name: 'tiny', folder, load: 'on-demand' }], { watchInterval: 20 })
  await expect(run(engine)).rejects.toMatchObject({ code: 'model_failed' })
  writeFileSync(join(folder, 'config.json'), config)
  while (states(engine)[0] === 'failed') await Bun.sleep(10)
  expect((await run(engine)).outputs).toHaveLength(1)
})

test('under a budget of memory the model used longest ago makes room', async () => {
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

test('models that push each other out, and are reloaded meanwhile, answer every request rightly', async () => {
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

test('a model that is larger than the budget is refused', async () => {
  const folder = await tinyModel()
  await expect(create([{ name: 'tiny', folder }], { memoryBudget: 1e6 })).rejects.toThrow(
    /'tiny' in .* cannot be served: It needs about \d+ bytes, more than the budget of 1000000\./,
  )
})

test('a changed folder takes over under load: no request is lost, each answer is of one version', async () => {
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
  ['computes no numbers', makeNonFinite, /no finite numbers/],
  ['has other classes', (folder: string) => saveTinyModel(folder, { numLabels: 4 }), /has 4 classes, .* served 3/],
] as const)('a new version that %s is not taken; the one before goes on', async (_, damage, cause) => {
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

test('closing answers what was accepted, takes nothing new, and leaves no process', async () => {
  const engine = await create([{ name: 'tiny', folder: await tinyModel() }])
  const pids = engine.processes()
  expect(pids.filter(isAlive)).toHaveLength(2)
  const accepted = [
    run(engine, 'tiny', inputWith(FAULTS.delay + 200)),
    ...Array.from({ length: 20 }, () => run(engine)),
  ]
  const closing = engine.close()
  expect(engine.ready()).toBe(false)
  await expect(run(engine)).rejects.toMatchObject({ code: 'draining' })
  expect(await Promise.all(accepted)).toHaveLength(21)
  await closing
  expect(pids.filter(isAlive)).toEqual([])
})

test('closing gives up what does not end in time, and says so', async () => {
  const engine = await create([{ name: 'tiny', folder: await tinyModel() }], { drainTimeout: 100 })
  const pids = engine.processes()
  const hanging = run(engine, 'tiny', inputWith(FAULTS.hang))
  while (engine.load()[0]?.running !== 1) await Bun.sleep(1)
  await engine.reload('tiny')
  pids.push(...engine.processes()) // the hanging one drains, and answers no more
  const closing = engine.close()
  await expect(hanging).rejects.toMatchObject({ code: 'draining' })
  await expect(closing).rejects.toThrow('1 requests were not finished within 100 ms.')
  expect(pids.filter(isAlive)).toEqual([])
})

async function serveTiny(): Promise<{
  server: Bun.Subprocess<'ignore', 'pipe', 'inherit'>
  pids: number[]
  rest: ReadableStreamDefaultReader<Uint8Array>
}> {
  const module = fileURLToPath(new URL('../../test/serve-tiny.ts', import.meta.url))
  const server = Bun.spawn([process.execPath, module, await tinyModel()], { stdout: 'pipe' })
  const rest = server.stdout.getReader()
  const { value } = await rest.read()
  return { server, pids: JSON.parse(new TextDecoder().decode(value)) as number[], rest }
}

test('processes end with a server that is killed, even if they hang', async () => {
  const { server, pids } = await serveTiny()
  expect(pids.filter(isAlive)).toHaveLength(2)
  for (const pid of pids) process.kill(pid, 'SIGSTOP') // one that hangs does not see its socket close
  server.kill('SIGKILL')
  while (pids.some(isAlive)) await Bun.sleep(10)
})

test('processes leave the signals of a terminal to the server', async () => {
  const { server, pids, rest } = await serveTiny()
  for (const pid of [...pids, server.pid]) process.kill(pid, 'SIGINT')
  const { value } = await rest.read()
  expect(new TextDecoder().decode(value).trim()).toBe('1')
  expect(await server.exited).toBe(0)
  expect(pids.filter(isAlive)).toEqual([])
})
