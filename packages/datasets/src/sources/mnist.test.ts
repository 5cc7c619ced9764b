/** MNIST's files: packed and not, as torchvision names them, and damaged. */
import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import type { Example } from '../types.ts'
import { downloadMnist, openFashionMnist, openMnist } from './mnist.ts'

const idx = (shape: number[], data: Uint8Array): Buffer => {
  const head = Buffer.alloc(4 + 4 * shape.length)
  head.set([0, 0, 8, shape.length])
  for (const [axis, length] of shape.entries()) head.writeUInt32BE(length, 4 + 4 * axis)
  return Buffer.concat([head, data])
}
/** Three images of 2×2: 0 1 2 3, 4 5 6 7, 8 9 10 11, of classes 3, 0 and 9. */
const images = idx(
  [3, 2, 2],
  Uint8Array.from({ length: 12 }, (_, i) => i),
)
const labels = idx([3], Uint8Array.of(3, 0, 9))

function folder(files: Record<string, Uint8Array>, below = ''): string {
  const root = temporaryFolder()
  mkdirSync(join(root, below), { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, below, name), bytes)
  return root
}
const names = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'] as const
const plain = { [names[0]]: images, [names[1]]: labels }
const packed = { [`${names[0]}.gz`]: gzipSync(images), [`${names[1]}.gz`]: gzipSync(labels) }

test.each([
  ['as they are', plain, ''],
  ['packed', packed, ''],
  ['where torchvision puts them', packed, 'MNIST/raw'],
])('opens files %s', async (_, files, below) => {
  const dataset = await openMnist(folder(files, below), { split: 'test' })
  const { image, label } = dataset.get(1) as Example
  expect([dataset.length, dataset.classes[label]]).toEqual([3, '0'])
  expect({ ...image, data: [...image.data] }).toEqual({ data: [4, 5, 6, 7], width: 2, height: 2, channels: 1 })
})

test('repeats the grey for models that take colour', async () => {
  const dataset = await openFashionMnist(folder(plain, 'FashionMNIST/raw'), { split: 'test', channels: 3 })
  expect([...(dataset.get(0) as Example).image.data]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
  expect(dataset.classes[(dataset.get(2) as Example).label]).toBe('Ankle boot')
})

describe('refuses', () => {
  const opening = (changed: Record<string, Uint8Array>): Promise<unknown> =>
    openMnist(folder({ ...plain, ...changed }), { split: 'test' })

  test.each([
    ['a web page', Buffer.from('<!DOCTYPE html><html>'), 'is no idx file: it is a web page'],
    ['another magic', Buffer.from('hello, world, here'), 'is no idx file: it begins with 104 101 108 108.'],
    ['floats', Buffer.from([0, 0, 13, 3, ...images.subarray(4)]), 'has values of type 13 on 3 axes; expected bytes'],
    ['labels', labels, 'has values of type 8 on 1 axes; expected bytes (type 8) on 3.'],
    ['a lying count', idx([4e9, 28, 28], images), 'bytes after its head; expected 4000000000 · 28 · 28 ='],
    ['a file cut off', images.subarray(0, -1), 'has 11 bytes after its head; expected 3 · 2 · 2 = 12.'],
    ['a head cut off', images.subarray(0, 9), 'has 9 bytes; its head alone has 16.'],
    ['no image', idx([0, 28, 28], new Uint8Array(0)), 'has 0 bytes after its head; expected 0 · 28 · 28 = 0'],
    [
      'a gzip cut off',
      gzipSync(images).subarray(0, 20),
      'cannot be unpacked: unexpected end of file. Get the file again.',
    ],
  ])('%s', async (_, bytes, message) => {
    const error = (await opening({ [names[0]]: bytes }).catch(error => error)) as Error
    expect(error.message).toContain(names[0])
    expect(error.message).toContain(message)
  })
  test('a label out of range, another count of labels', async () => {
    await expect(opening({ [names[1]]: idx([3], Uint8Array.of(1, 10, 0)) })).rejects.toThrow(
      'record 1 has label 10; expected 0 to 9.',
    )
    await expect(opening({ [names[1]]: idx([2], Uint8Array.of(1, 0)) })).rejects.toThrow(
      /has 2 labels, but .* has 3 images/,
    )
  })
  test('a folder without it, another split', async () => {
    await expect(openMnist(temporaryFolder(), { split: 'test' })).rejects.toThrow(
      /has no MNIST\. Expected a folder, .* with t10k-images-idx3-ubyte\.gz, unpacked or not; downloadMnist/,
    )
    await expect(openMnist('x', { split: 'validation' as 'test' })).rejects.toThrow("expected 'train' or 'test'")
  })
})

test('downloadMnist downloads what is missing and refuses what is not the official file', async () => {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    fetch(request) {
      asked.push(new URL(request.url).pathname)
      return new Response('not MNIST')
    },
  })
  const root = folder({ 'train-images-idx3-ubyte': images }, 'MNIST/raw')
  const md5 = createHash('md5').update('not MNIST').digest('hex')
  await expect(downloadMnist(root, { url: `${server.url}mirror` })).rejects.toThrow(
    `mirror/train-labels-idx1-ubyte.gz arrived damaged: its md5 is ${md5}`,
  )
  expect(asked).toEqual(['/mirror/train-labels-idx1-ubyte.gz'])
  expect(readdirSync(join(root, 'MNIST/raw'))).toEqual(['train-images-idx3-ubyte'])
  await server.stop(true)
})
