/** Reading CIFAR-10: the sample in this repository, and copies of it damaged in every way a disk or a download can. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import type { Example } from '../types.ts'
import { openCifar10 } from './cifar.ts'
import { downloadCifar10 } from './download-cifar.ts'

const sample = join(import.meta.dir, '../../../../examples/cifar10-sample')
const recordBytes = 3073

test('openCifar10 opens the sample', async () => {
  const train = await openCifar10(sample, { split: 'train' })
  const held = await openCifar10(sample, { split: 'test' })
  expect([train.length, held.length]).toEqual([1500, 300])
  expect(train.classes).toEqual([
    ...['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  ])
  const labels = Array.from({ length: train.length }, (_, i) => (train.get(i) as Example).label)
  for (let label = 0; label < 10; label++) expect(labels.filter(other => other === label).length).toBe(150)
})

test('openCifar10 gives pixels of three bytes, from three planes', async () => {
  const held = await openCifar10(sample, { split: 'test' })
  const bytes = readFileSync(join(sample, 'test_batch.bin')).subarray(299 * recordBytes)
  const { image, label } = held.get(299) as Example
  expect(label).toBe(bytes[0] as number)
  expect({ ...image, data: image.data.length }).toEqual({ data: 3072, width: 32, height: 32, channels: 3 })
  for (const [y, x, c] of [
    [0, 0, 0],
    [5, 17, 1],
    [31, 31, 2],
  ] as const)
    expect(image.data[(y * 32 + x) * 3 + c]).toBe(bytes[1 + c * 1024 + y * 32 + x] as number)
  expect(() => held.get(300)).toThrow('Example 300 was asked for; the data set has 300')
})

describe('a damaged copy', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = join(temporaryFolder(), 'cifar-10-batches-bin')
    mkdirSync(folder)
    file = join(folder, 'test_batch.bin')
    for (const name of ['test_batch.bin', 'batches.meta.txt']) cpSync(join(sample, name), join(folder, name))
    writeFileSync(join(folder, 'records.json'), '{ "test_batch.bin": 300 }')
  })
  const opening = (): Promise<unknown> => openCifar10(folder, { split: 'test' })

  test('is no damage yet: opens from the folder above, too', async () => {
    expect((await openCifar10(join(folder, '..'), { split: 'test' })).length).toBe(300)
  })

  test('truncated anywhere, or too long', async () => {
    for (const bytes of [921_899, 921_900 - recordBytes, 500_000, recordBytes, 1, 0, 921_901]) {
      truncateSync(file, bytes)
      const what = bytes > 921_900 ? 'it is not this file of CIFAR-10' : bytes === 0 ? 'it is empty' : 'it is truncated'
      await expect(opening()).rejects.toThrow(
        `${file} has ${bytes} bytes; expected 921900 (300 records of 3073): ${what}. Get the file again`,
      )
    }
  })

  test('a sample that does not say so is a truncated data set', async () => {
    rmSync(join(folder, 'records.json'))
    await expect(opening()).rejects.toThrow(
      'test_batch.bin has 921900 bytes; expected 30730000 (10000 records of 3073)',
    )
  })

  test.each([
    ['a web page', '<!DOCTYPE html><html>404</html>', 'it is a web page, which a failed download left'],
    ['gzip', gzipSync(Buffer.alloc(99)), 'it is a gzip archive that must be unpacked'],
    ['zip', 'PK\x03\x04rest', 'it is a zip archive that must be unpacked'],
  ])('is %s', async (_, content, message) => {
    writeFileSync(file, content)
    await expect(opening()).rejects.toThrow(message)
  })

  test.each([10, 255])('a copy with label %p is damaged', async label => {
    const bytes = readFileSync(file)
    bytes[7 * recordBytes] = label
    writeFileSync(file, bytes)
    await expect(opening()).rejects.toThrow(`${file}: record 7 has label ${label}; expected 0 to 9.`)
  })

  test('lacks a file', async () => {
    rmSync(join(folder, 'batches.meta.txt'))
    await expect(opening()).rejects.toThrow(
      /batches\.meta\.txt is missing\. Expected a folder, .* with data_batch_1\.bin … data_batch_5\.bin/,
    )
    rmSync(file)
    await expect(opening()).rejects.toThrow(`${folder} has no CIFAR-10. Expected a folder`)
    await expect(openCifar10(join(folder, 'nowhere'), { split: 'test' })).rejects.toThrow('nowhere has no CIFAR-10')
  })

  test('lacks the split', async () => {
    await expect(openCifar10(folder, { split: 'train' })).rejects.toThrow(
      'records.json names no file of the train split.',
    )
    await expect(openCifar10(folder, { split: 'validation' as 'test' })).rejects.toThrow(
      "split is 'validation'; expected 'train' or 'test'.",
    )
  })

  test('the Python version is refused', async () => {
    renameSync(file, join(folder, 'data_batch_1'))
    rmSync(join(folder, 'batches.meta.txt'))
    await expect(opening()).rejects.toThrow('has the Python version of CIFAR-10; expected the binary version')
  })

  test.each(['', '[]', 'null', '{"other.bin": 3}', '{"test_batch.bin": 0}', '{"test_batch.bin": 1e9}'])(
    'a copy with records.json %p is damaged',
    async text => {
      writeFileSync(join(folder, 'records.json'), text)
      await expect(opening()).rejects.toThrow(/records\.json .*; expected an object such as/)
    },
  )

  test.each(['cat\ndog\n', 'cat\n'.repeat(10), Buffer.from([0xff, 0xfe])])(
    'a copy with classes %p is damaged',
    async content => {
      writeFileSync(join(folder, 'batches.meta.txt'), content)
      await expect(opening()).rejects.toThrow('batches.meta.txt')
    },
  )
})

test('a complete folder is not downloaded again', async () => {
  const folder = temporaryFolder()
  const target = join(folder, 'cifar-10-batches-bin')
  cpSync(sample, target, { recursive: true })
  expect(await downloadCifar10(folder, { url: 'http://127.0.0.1:1/cifar-10-binary.tar.gz' })).toBe(target)
  rmSync(join(target, 'test_batch.bin'))
  await expect(downloadCifar10(folder, { url: 'http://127.0.0.1:1/cifar-10-binary.tar.gz' })).rejects.toThrow(
    'cannot be reached',
  )
})
