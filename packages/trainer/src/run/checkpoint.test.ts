/** Checkpoints on a disk that is full, fails or flips bits. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { type SafeTensor, serializeSafetensors, WriteError } from '@vitral/core/files'
import { failing, killedAtEachCall } from '../../test/fail-points.ts'
import { mayMount, mount, unmount } from '../../test/mount.ts'
import { createOptimizer } from '../optimizers/index.ts'
import { isDue, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { DamagedCheckpointError, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { type RunState, startOfRun } from './state.ts'

let folder: string
let model: ViTForImageClassification
let state: RunState

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-checkpoint-'))
  const tiny = { imageSize: 4, patchSize: 2, hiddenSize: 4, numHiddenLayers: 1, numAttentionHeads: 1 }
  model = new ViTForImageClassification({ ...tiny, intermediateSize: 4 })
  state = { parameters: model.parameters(), optimizer: createOptimizer('adam', model.parameters()) }
})
afterEach(() => {
  model.dispose()
  rmSync(folder, { recursive: true })
})

const save = (step: number, keep?: number) => saveCheckpoint(folder, { ...startOfRun, step }, state, { keep })
const name = (step: number) => `step-00000000${step}.safetensors`
const path = (step: number) => join(folder, name(step))
async function load() {
  const reasons: string[] = []
  const position = await loadCheckpoint(folder, state, { onDamaged: reason => reasons.push(reason) })
  return { step: position?.step, reasons }
}

describe('the file', () => {
  const checkpoint = {
    position: { ...startOfRun, step: 3 },
    sections: {
      model: { tensors: new Map([['a.b', { shape: [2], data: Float32Array.of(1, -0) }]]), values: undefined },
      plain: { tensors: new Map(), values: { scale: 0.1 } },
    },
  }

  test('readCheckpoint gives back what was written', async () => {
    await writeCheckpoint(path(3), checkpoint)
    expect(await readCheckpoint(path(3))).toEqual(checkpoint)
  })

  test('every flipped bit is seen, wherever it is', async () => {
    await writeCheckpoint(path(3), checkpoint)
    const bytes = readFileSync(path(3))
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i] = (damaged[i] as number) ^ (1 << (i % 8))
      writeFileSync(path(3), damaged)
      await expect(readCheckpoint(path(3))).rejects.toThrow(
        `${path(3)} is damaged: its content does not match its checksum.`,
      )
    }
  })

  test('every length it may be cut to is seen', async () => {
    await writeCheckpoint(path(3), checkpoint)
    for (let size = readFileSync(path(3)).length - 1; size >= 0; size--) {
      truncateSync(path(3), size)
      await expect(readCheckpoint(path(3))).rejects.toBeInstanceOf(DamagedCheckpointError)
      await expect(readCheckpoint(path(3))).rejects.toThrow(`${path(3)} is damaged`)
    }
  })

  test('a checkpoint without its checksum is damaged, whatever it holds', async () => {
    const metadata = { version: '2', position: JSON.stringify(checkpoint.position) }
    writeFileSync(path(3), Buffer.concat(serializeSafetensors(new Map(), metadata)))
    await expect(readCheckpoint(path(3))).rejects.toBeInstanceOf(DamagedCheckpointError)
  })

  test('a process killed at any call leaves the one before, or both', async () => {
    await save(1)
    const seen = new Set<number | undefined>()
    await killedAtEachCall(
      () => save(2),
      async killed => {
        seen.add((await load()).step)
        if (killed) rmSync(path(2), { force: true })
      },
    )
    expect(seen).toEqual(new Set([1, 2]))
  })
})

describe('loadCheckpoint', () => {
  const damages: Record<string, () => void> = {
    'cut off': () => truncateSync(path(2), 1000),
    empty: () => truncateSync(path(2), 0),
    zeroed: () => writeFileSync(path(2), new Uint8Array(readFileSync(path(2)).length)),
  }
  test.each(Object.keys(damages))('%s: the one before is used, and that is told in one line', async kind => {
    await save(1)
    await save(2)
    damages[kind]?.()
    const { step, reasons } = await load()
    expect(step).toBe(1)
    expect(reasons).toHaveLength(1)
    expect(reasons[0]).toMatch(/^\S+step-000000002\.safetensors is damaged: [^\n]+ Resuming from [^\n]+$/)
    expect(reasons[0]).toEndWith(`Resuming from the one before it, ${name(1)}.`)
  })

  test('a disk that cannot read is told in one line', async () => {
    await save(1)
    await failing('read', 'EIO', async () => {
      await expect(load()).rejects.toThrow(`${path(1)} cannot be read: the disk fails. No checkpoint is whole`)
    })
    expect(await load()).toEqual({ step: 1, reasons: [] })
  })

  test('loadCheckpoint reads nothing from a folder without one, and a run whose checkpoints are all damaged does not begin anew', async () => {
    expect(await load()).toEqual({ step: undefined, reasons: [] })
    await save(1)
    truncateSync(path(1), 10)
    await expect(load()).rejects.toThrow('No checkpoint is whole, so the run must begin anew, in another folder.')
  })

  test('a checkpoint of another model is refused as such, not as damaged', async () => {
    await save(1)
    const other = new ViTForImageClassification({ ...model.config, hiddenSize: 8 })
    const parameters = other.parameters()
    await expect(
      loadCheckpoint(folder, { parameters, optimizer: createOptimizer('adam', parameters) }),
    ).rejects.toThrow(/step-000000001\.safetensors does not belong to this run: The parameter '.*' has shape/)
    other.dispose()
  })

  test('a checkpoint of another version is refused as such, not as damaged', async () => {
    const position = { ...startOfRun, step: 1 }
    const refused = (written: number) =>
      expect(load()).rejects.toThrow(
        `${path(1)} is of version ${written} of the format; expected 2. Go on with what wrote it.`,
      )
    await writeCheckpoint(path(1), { position, sections: { version: { values: 3 } } }) // takes the place of its own
    await refused(3)
    const digest: SafeTensor = { dtype: 'U8', shape: [32], data: new Uint8Array(32) } // as version 1 had it
    const metadata = { version: '1', position: JSON.stringify(position) }
    writeFileSync(path(1), Buffer.concat(serializeSafetensors(new Map([['sha256', digest]]), metadata)))
    await refused(1)
  })
})

describe('saveCheckpoint', () => {
  test('saveCheckpoint keeps so many, and none that is newer: its part of the run is done again', async () => {
    for (const step of [1, 2, 3]) await save(step)
    expect(readdirSync(folder).sort()).toEqual([name(2), name(3)])
    await save(4, 3)
    expect(readdirSync(folder).sort()).toEqual([name(2), name(3), name(4)])
    await save(3)
    expect(readdirSync(folder).sort()).toEqual([name(2), name(3)])
    await save(5, 1)
    expect(readdirSync(folder)).toEqual([name(5)])
  })

  test('a disk that cannot flush: told, and the one before stays alone', async () => {
    await save(1)
    await failing('sync', 'EIO', async () => {
      await expect(save(2)).rejects.toThrow(
        `${path(2)} cannot be written: the disk fails. Choose another one; the run can be resumed from ${name(1)}.`,
      )
    })
    expect(readdirSync(folder)).toEqual([name(1)])
    expect(await load()).toEqual({ step: 1, reasons: [] })
  })

  test.skipIf(!mayMount)('a full disk: file and bytes are told, the last one stays whole', async () => {
    await save(1)
    const bytes = readFileSync(path(1)).length
    const size = Math.ceil(bytes / 4096) * 4096 * 2 - 4096
    rmSync(path(1))
    mount(folder, size)
    try {
      await save(1)
      const error = await save(2).catch(error => error)
      expect(error).toBeInstanceOf(WriteError)
      expect(error.message).toMatch(/^[^\n]+$/)
      expect(error.message).toStartWith(`${path(2)} cannot be written: the disk is full: `)
      expect(error.message).toContain(`${bytes.toLocaleString('en-US')} bytes are needed`)
      expect(error.message).toEndWith(`Free some space; the run can be resumed from ${name(1)}.`)
      expect(readdirSync(folder)).toEqual([name(1)])
      expect(await load()).toEqual({ step: 1, reasons: [] })
    } finally {
      unmount(folder)
    }
  })
})

test('isDue counts from the last one', () => {
  const saved = { step: 10, seconds: 100 }
  expect(isDue(saved, { step: 12, seconds: 9999 }, { every: { steps: 3 } })).toBe(false)
  expect(isDue(saved, { step: 13, seconds: 100 }, { every: { steps: 3 } })).toBe(true)
  expect(isDue(saved, { step: 9999, seconds: 699 })).toBe(false)
  expect(isDue(saved, { step: 11, seconds: 700 })).toBe(true)
  expect(isDue(saved, { step: 11, seconds: 106 }, { every: { minutes: 0.1 } })).toBe(true)
})
