import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageBlobs } from './image-blobs.ts'
import { openSource } from './open-source.ts'

const bytes = readFileSync(join(import.meta.dir, '../../test/fixtures/decode/colour.png'))
const file = (name: string, content: BlobPart = bytes): File => new File([content], name)

test('imageBlobs orders classes and files by their names, as a folder of them is', async () => {
  const images = imageBlobs({ dog: [file('b.png'), file('a.png')], cat: new Set([file('z.png')]) })
  expect(images.classes).toEqual(['cat', 'dog'])
  expect(Array.from(images.labels ?? [])).toEqual([0, 1, 1])
  expect([0, 1, 2].map(index => images.keyOf?.(index))).toEqual(['z.png', 'a.png', 'b.png'])
  const { image, label } = await images.get(2)
  expect([image.width > 0, label]).toEqual([true, 1])
  const again = await openSource(images.source ?? expect.unreachable())
  expect((await again.get(2)).image).toEqual(image)
})

test('imageBlobs names a broken file, and refuses what is no file, or there twice', async () => {
  const broken = imageBlobs({ cat: [file('a.png'), file('b.png', 'no image')], dog: [new Blob([bytes])] })
  await expect(async () => broken.get(1)).toThrow('b.png cannot be decoded: ')
  expect(broken.nameOf?.(2)).toBe('image 2')
  expect(() => imageBlobs({ cat: [file('a.png'), file('a.png')] })).toThrow("'cat' has two files a.png")
  expect(() => imageBlobs({ cat: ['a.png'] as unknown as File[] })).toThrow("'cat' has something at 0 that is no file")
  expect(() => imageBlobs({ cat: [], dog: [] })).toThrow('given no file')
})
