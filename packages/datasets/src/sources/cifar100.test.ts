/** CIFAR-100: two label bytes, two lists of classes. */
import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import type { Example } from '../types.ts'
import { openCifar100 } from './cifar.ts'
import { downloadCifar100 } from './download-cifar.ts'

const names = (prefix: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}\n`).join('')

/** Record i: coarse i % 20, fine 10 · i % 100, red i, green i + 1, blue i + 2. */
function folder(records: Record<string, number>): string {
  const path = temporaryFolder()
  for (const [file, count] of Object.entries(records)) {
    const bytes = new Uint8Array(count * 3074)
    for (let i = 0; i < count; i++) {
      const record = bytes.subarray(i * 3074, (i + 1) * 3074)
      record.set([i % 20, (10 * i) % 100])
      for (let c = 0; c < 3; c++) record.fill(i + c, 2 + c * 1024, 2 + (c + 1) * 1024)
    }
    writeFileSync(join(path, file), bytes)
  }
  writeFileSync(join(path, 'records.json'), JSON.stringify(records))
  writeFileSync(join(path, 'coarse_label_names.txt'), names('group ', 20))
  writeFileSync(join(path, 'fine_label_names.txt'), names('class ', 100))
  return path
}

test.each(['fine', 'coarse'] as const)('openCifar100 opens with %s labels', async labels => {
  const test = await openCifar100(folder({ 'train.bin': 3, 'test.bin': 25 }), { split: 'test', labels })
  const { image, label } = test.get(24) as Example
  expect([test.length, test.classes.length, label]).toEqual(labels === 'fine' ? [25, 100, 40] : [25, 20, 4])
  expect(test.classes[label]).toBe(labels === 'fine' ? 'class 40' : 'group 4')
  expect([...image.data.subarray(0, 6)]).toEqual([24, 25, 26, 24, 25, 26])
})

test('openCifar100 has fine labels when none are named', async () => {
  expect((await openCifar100(folder({ 'train.bin': 3 }), { split: 'train' })).classes).toHaveLength(100)
})

describe('refuses', () => {
  test('another kind of labels', async () => {
    await expect(openCifar100('data', { split: 'train', labels: 'rough' as 'fine' })).rejects.toThrow(
      "labels is 'rough'; expected 'fine' (100 classes) or 'coarse' (20).",
    )
  })
  test.each([
    [0, 20, 'coarse label 20; expected 0 to 19'],
    [1, 100, 'fine label 100; expected 0 to 99'],
  ])('byte %d being %d', async (byte, value, message) => {
    const path = folder({ 'train.bin': 3 })
    const bytes = new Uint8Array(3 * 3074)
    bytes[2 * 3074 + byte] = value
    writeFileSync(join(path, 'train.bin'), bytes)
    await expect(openCifar100(path, { split: 'train' })).rejects.toThrow(`train.bin: record 2 has ${message}.`)
  })
  test('a folder without it', async () => {
    await expect(openCifar100(temporaryFolder(), { split: 'train' })).rejects.toThrow(
      /has no CIFAR-100\. Expected a folder, or the one above it, with train\.bin, test\.bin, coarse_label_names\.txt and fine_label_names\.txt, as cifar-100-binary\.tar\.gz unpacks to; downloadCifar100\(folder\) gets it\./,
    )
  })
  test('a server that is not there', async () => {
    const url = 'http://127.0.0.1:1/cifar-100-binary.tar.gz'
    await expect(downloadCifar100(temporaryFolder(), { url })).rejects.toThrow('cannot be reached')
  })
})
