/** The protocol from both sides: the harness' class against real processes. */
import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeSafetensors } from '@vitral/core/files'
import { fixture } from '../test/fixture.ts'
import { options } from '../test/options.ts'
import { Contestant } from './contestant.ts'
import { contestants } from './contestants.ts'
import type { ContestantOptions } from './protocol.ts'
import { maxDifference } from './statistics.ts'

const echo = [process.execPath, join(import.meta.dirname, '../test/echo-contestant.ts')]

test('a contestant says what it is, gives its logits and answers run by run', async () => {
  const contestant = (await Contestant.start('echo', echo, options)) as Contestant
  try {
    expect(contestant.title).toBe('echo, 2 threads')
    expect(await contestant.logits()).toEqual([0.5, -1])
    const runs = [await contestant.run(), await contestant.run()]
    expect(runs.map(({ loss }) => loss)).toEqual([1, 2])
    for (const { milliseconds } of runs) expect(milliseconds).toBeGreaterThanOrEqual(0)
  } finally {
    contestant.stop()
  }
})

test('a contestant that fails to start says why', () => {
  const started = Contestant.start('echo', echo, { ...options, modelFolder: 'broken' })
  expect(started).rejects.toThrow(/contestant echo ended.*the model folder is broken/s)
})

test('a program that does not exist is an error', () => {
  expect(Contestant.start('nobody', ['/nonexistent/program'], options)).rejects.toThrow(/contestant nobody ended/)
})

const [python = ''] = contestants.torch.command

test.skipIf(!existsSync(python))(`PyTorch's peer has the logits of the fixture (needs ${python})`, async () => {
  const { modelFolder, pixelValues, logits } = await fixture('square')
  const folder = await mkdtemp(join(tmpdir(), 'vitral-torch-'))
  const inputs = join(folder, 'inputs.safetensors')
  const batch = pixelValues.shape[0] as number
  await writeSafetensors(
    inputs,
    new Map([
      ['pixel_values', { dtype: 'F32', ...pixelValues }],
      ['labels', { dtype: 'I32', shape: [batch], data: new Int32Array(batch) }],
    ]),
  )
  const given: ContestantOptions = { ...options, modelFolder, inputs, task: 'training' }
  const torch = await Contestant.start('torch', contestants.torch.command, given)
  try {
    if (!(torch instanceof Contestant)) return console.warn(`not checked: ${torch.unavailable}`)
    expect(maxDifference(await torch.logits(), [...logits.data])).toBeLessThan(1e-5)
    const before = await torch.run()
    const after = await torch.run()
    expect(after.loss).toBeLessThan(before.loss as number)
  } finally {
    if (torch instanceof Contestant) torch.stop()
    await rm(folder, { recursive: true })
  }
})
