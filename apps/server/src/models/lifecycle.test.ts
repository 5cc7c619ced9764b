/** Loading of models and shutdown of an engine: what is rejected, what is loaded on demand, and what close leaves. */
import { afterEach, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closeEngines, create, events, run, states } from '../../test/support/created-engines.ts'
import { cutInHalf, flipBit, makeNonFinite, resizeProcessor, spoil } from '../../test/support/damage.ts'
import { FAULTS, inputWith } from '../../test/support/faults.ts'
import { tinyModel } from '../../test/support/tiny-model.ts'
import type { ModelDescription } from '../engine.ts'

afterEach(closeEngines)

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

test('createEngine rejects invalid and duplicate names of models', async () => {
  const folder = await tinyModel()
  for (const name of ['', '../x', 'a/b', '.', 'a\0', '-x', 'x'.repeat(65)])
    await expect(create([{ name, folder }])).rejects.toThrow('expected letters and digits')
  await expect(create([{ name: '__proto__', folder }])).rejects.toThrow('expected letters and digits')
  await expect(
    create([
      { name: 'a', folder },
      { name: 'a', folder },
    ]),
  ).rejects.toThrow("Two models are named 'a'")
  await expect(create([{ name: 'a', folder, workers: 0 }])).rejects.toThrow(
    "workers of 'a' is 0; expected a whole number of at least 1.",
  )
})

test('a folder that cannot be served is one line of error', async () => {
  const damages: [(folder: string) => unknown, RegExp][] = [
    [folder => rmSync(folder, { recursive: true }), /: its folder does not exist/],
    [folder => rmSync(join(folder, 'model.safetensors')), /has neither model\.safetensors nor/],
    [folder => rmSync(join(folder, 'preprocessor_config.json')), /has no preprocessor_config\.json/],
    [folder => writeFileSync(join(folder, 'config.json'), '{'), /config\.json is not JSON/],
    [folder => cutInHalf(join(folder, 'model.safetensors')), /model\.safetensors/],
    [folder => flipBit(join(folder, 'model.safetensors')), /model\.safetensors is damaged: its content does not match/],
    [folder => spoil(folder, tensors => tensors.delete('classifier.bias')), /classifier\.bias is missing/],
    [makeNonFinite, /its weights are damaged/],
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

test('unknown fields of config.json are part of the event loaded', async () => {
  const folder = await tinyModel()
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), my_note: 1 }))
  await create([{ name: 'tiny', folder }])
  expect(events).toContainEqual(expect.objectContaining({ event: 'loaded', unknownFields: ['my_note'] }))
})

test('an on-demand model is loaded once, by its first request', async () => {
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

test('a config.json with millions of classes is read in a worker process, and not listed', async () => {
  const folder = await tinyModel()
  const path = join(folder, 'config.json')
  const labels = Array.from({ length: 3_000_000 }, (_, i) => `"${i}":"class ${i}"`)
  const config = JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), id2label: 0 })
  writeFileSync(path, config.replace('"id2label":0', `"id2label":{${labels.join()}}`))
  // The time of this process only; its children's work is not counted.
  const before = process.cpuUsage()
  const engine = await create([{ name: 'tiny', folder, load: 'on-demand' }])
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(1000)
  expect(JSON.stringify(engine.models()).length).toBeLessThan(1000)
}, 60_000)

test('an on-demand model that cannot be loaded fails its requests until its folder is repaired', async () => {
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

test('close answers accepted requests, rejects new ones, and leaves no process', async () => {
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

test('close gives up requests that do not end in time, and reports them', async () => {
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
  const module = fileURLToPath(new URL('../../test/support/serve-tiny.ts', import.meta.url))
  const server = Bun.spawn([process.execPath, module, await tinyModel()], { stdout: 'pipe' })
  const rest = server.stdout.getReader()
  const { value } = await rest.read()
  return { server, pids: JSON.parse(new TextDecoder().decode(value)) as number[], rest }
}

test('worker processes end with a server that is killed, even if they hang', async () => {
  const { server, pids } = await serveTiny()
  expect(pids.filter(isAlive)).toHaveLength(2)
  for (const pid of pids) process.kill(pid, 'SIGSTOP') // one that hangs does not see its socket close
  server.kill('SIGKILL')
  while (pids.some(isAlive)) await Bun.sleep(10)
})

test('worker processes ignore the signals of a terminal', async () => {
  const { server, pids, rest } = await serveTiny()
  for (const pid of [...pids, server.pid]) process.kill(pid, 'SIGINT')
  const { value } = await rest.read()
  expect(new TextDecoder().decode(value).trim()).toBe('1')
  expect(await server.exited).toBe(0)
  expect(pids.filter(isAlive)).toEqual([])
})
