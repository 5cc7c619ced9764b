/** What a loader keeps: a ring of slots, decoded images. What it leaves behind: nothing. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { errorOf, gather, load } from '../../test/load.ts'
import { photos } from '../../test/photos.ts'
import { imageFiles } from '../datasets/image-files.ts'
import { subset } from '../datasets/subset.ts'
import { openCifar10 } from '../sources/cifar.ts'
import * as transforms from '../transforms/index.ts'
import type { Dataset } from '../types.ts'
import { cacheExamples, createCacheMemory } from './example-cache.ts'
import { createLoader } from './loader.ts'

const sample = join(import.meta.dir, '../../../../examples/cifar10-sample')
const held = await openCifar10(sample, { split: 'test' })
const chain = transforms.cifar32({ train: true })

describe.each([0, 2])('the ring, with %d workers', workers => {
  const options = { transforms: chain, batchSize: 16, shuffle: true, seed: 2, workers, prefetch: 2 }
  const slots = Math.max(1, workers * 2) + 1

  test('the ring has the batches of memory of their own, in workers · prefetch + 1 slots, over several epochs', async () => {
    const loader = createLoader(held, { ...options, reuseMemory: true })
    const found: Float32Array[] = []
    for (const epoch of [0, 1]) {
      const whole = await load(held, options, { epoch })
      let i = 0
      for await (const batch of loader.batches({ epoch })) {
        expect(batch).toEqual(whole[i++] as typeof batch)
        const { data } = batch.pixelValues
        expect(data.buffer).toBeInstanceOf(workers === 0 ? ArrayBuffer : SharedArrayBuffer)
        // Sent between threads, the same memory comes as another object: what is written tells.
        data[0] = 1e9
        if (!found.some(slot => slot[0] === 1e9)) found.push(data)
        data[0] = 0
      }
      expect(i).toBe(19)
    }
    await loader.close()
    expect(found.length).toBeLessThanOrEqual(slots)
  })

  test('a batch holds until the next is asked for, and longer without the ring', async () => {
    const loader = createLoader(held, { ...options, reuseMemory: true })
    for await (const { pixelValues } of loader.batches()) {
      const before = pixelValues.data.slice()
      await Bun.sleep(5) // the workers are done with all they may make
      expect(pixelValues.data).toEqual(before)
      if (loader.state().firstBatch === 4) break
    }
    await loader.close()
    const own = createLoader(held, options)
    const kept = []
    for await (const { pixelValues } of own.batches()) kept.push(pixelValues.data)
    await own.close()
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(19)
    expect(kept).toEqual((await load(held, options)).map(({ pixelValues }) => pixelValues.data))
  })

  test('goes on after a loop that was left', async () => {
    const loader = createLoader(held, { ...options, reuseMemory: true })
    for await (const _ of loader.batches()) break
    expect(await gather(loader, { epoch: 1 })).toEqual(await load(held, options, { epoch: 1 }))
    await loader.close()
  })
})

describe('decoded images', () => {
  test.each([0, 2])('decoded images are kept: the second epoch needs no files, with %d workers', async workers => {
    const dataset = await photos(8)
    const options = { transforms: transforms.articleFineTune({ train: true }), batchSize: 3, shuffle: true }
    const [first, second] = [await load(dataset, options), await load(dataset, options, { epoch: 1 })]
    const loader = createLoader(dataset, { ...options, workers, cacheBytes: 2 ** 20 })
    expect(await gather(loader)).toEqual(first)
    for (const { path } of dataset.files) rmSync(path)
    expect(await gather(loader, { epoch: 1 })).toEqual(second)
    await loader.close()
  })

  test('fill up to the size given: the others are decoded each time', async () => {
    const dataset = await photos(4) // 1800, 1953, 2112 and 2277 bytes
    let decoded = 0
    const counted: Dataset = {
      ...dataset,
      get: index => {
        decoded++
        return dataset.get(index)
      },
    }
    const cached = cacheExamples(counted, createCacheMemory(4, 1800 + 2120))
    const before = await Promise.all([0, 1, 2, 3].map(i => dataset.get(i)))
    for (const round of [4, 6, 8]) {
      const got = []
      for (let i = 0; i < 4; i++) got.push(await cached.get(i))
      expect(got.map(({ label }) => label)).toEqual([0, 1, 0, 1])
      for (const [i, { image }] of got.entries())
        expect({ ...image, data: [...image.data] }).toEqual({
          ...before[i]?.image,
          data: [...(before[i]?.image.data ?? [])],
        } as never)
      expect(decoded).toBe(round)
    }
  })

  test('broken ones are told of in every epoch', async () => {
    const dataset = await photos(4, { damaged: [2], onBroken: 'skip' })
    const options = { transforms: transforms.articleFineTune({ train: false }), batchSize: 4, cacheBytes: 2 ** 20 }
    const loader = createLoader(dataset, options)
    for (const epoch of [0, 1]) {
      const [batch] = await gather(loader, { epoch })
      expect([...(batch?.indices ?? [])]).toEqual([0, 1, 3])
      expect(batch?.skipped.map(({ index }) => index)).toEqual([2])
    }
  })

  test('images in memory get no cache', async () => {
    const made: number[] = []
    const { SharedArrayBuffer: original } = globalThis
    globalThis.SharedArrayBuffer = class extends original {
      constructor(bytes = 0) {
        super(bytes)
        made.push(bytes)
      }
    }
    try {
      const options = { transforms: transforms.cifar32({ train: false }), batchSize: 4, cacheBytes: 2 ** 20 }
      for (const dataset of [held, subset(held, [1, 2])]) createLoader(dataset, options)
      expect(made).toEqual([])
      createLoader(await photos(1), options)
      expect(made).toContain(2 ** 20)
    } finally {
      globalThis.SharedArrayBuffer = original
    }
  })

  test('images in shared memory are left there', () => {
    const memory = createCacheMemory(held.length, 2 ** 20)
    const { get } = cacheExamples(held, memory)
    expect(get(3)).toEqual(held.get(3) as never)
    expect(new Int32Array(memory.places).every(field => field === 0)).toBe(true)
  })
})

/** Counts the threads of a process in the ways a loop over batches can end; prints a line for each. */
const program = `
  import { readdirSync, readFileSync } from 'node:fs'
  import { createLoader, openCifar10, transforms } from ENTRY
  const dataset = await openCifar10(${JSON.stringify(sample)}, { split: 'test' })
  const options = { transforms: transforms.cifar32({ train: true }), batchSize: 10, workers: 3 }
  const name = task => { try { return readFileSync('/proc/self/task/' + task + '/comm', 'utf8').trim() } catch { return '' } }
  // Bun starts and ends threads of its own as it likes; Node's have no names, but their number stays.
  const threads = () => readdirSync('/proc/self/task').filter(task => !process.versions.bun || name(task) === 'Worker').length
  const settle = async most => {
    for (let i = 0; i < 100 && threads() > most; i++) await new Promise(done => setTimeout(done, 20))
    return threads() <= most
  }
  const warm = createLoader(dataset, options)
  for await (const _ of warm.batches()); // the runtime's own threads have started
  const during = threads()
  await warm.close()
  const before = during - 3
  console.log(process.versions.bun ? before : 0)
  console.log('closed', await settle(before))
  const left = createLoader(dataset, options)
  for await (const _ of left.batches()) break
  console.log('left', await settle(before))
  const thrown = createLoader(dataset, options)
  try { for await (const _ of thrown.batches()) throw new Error('of the loop') } catch (error) { console.log(error.message) }
  console.log('thrown', await settle(before))
  const missing = createLoader(dataset, { ...options, transforms: [transforms.resize(3)] })
  try { for await (const _ of missing.batches()); } catch (error) { console.log(error.message) }
  console.log('failed', await settle(before))
  const under = createLoader(dataset, options)
  const batches = under.batches()
  await batches.next()
  await under.close()
  console.log('closed within', await settle(before))
`

test.skipIf(process.platform !== 'linux').each([
  ['Bun', process.execPath, ['-e'], 'src/index.ts'],
  ['Node', 'node', ['--input-type=module', '-e'], 'dist/index.js'],
])(
  'no thread is left behind, in %s',
  (_, command, args, entry) => {
    const root = join(import.meta.dir, '../..')
    const script = program.replace('ENTRY', JSON.stringify(join(root, entry)))
    const { stdout, stderr } = spawnSync(command, [...args, script], { cwd: root, encoding: 'utf8', timeout: 60_000 })
    expect(stderr).toBe('')
    expect(stdout.trim().split('\n')).toEqual([
      '0',
      'closed true',
      'left true',
      'of the loop',
      'thrown true',
      'Example 0: The transforms end with an image; end them with toTensor().',
      'failed true',
      'closed within true',
    ])
  },
  30_000,
)

test('what a loader is asked for after it was closed is refused, also without workers', async () => {
  const loader = createLoader(imageFiles([], ['a']), { transforms: chain, batchSize: 1 })
  await loader.close()
  await loader.close()
  expect(await errorOf(loader.batches().next())).toBe('Error: The loader is closed.')
})
