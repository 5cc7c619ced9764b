import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findImages } from './find-images.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-find-'))
const at = (...path: string[]) => join(folder, ...path)

beforeAll(() => {
  for (const name of ['b', 'b/deep', 'none']) mkdirSync(at(name))
  for (const name of ['a.png', 'z.jpg', 'b/1.png', 'b/deep/2.png', 'b/notes.txt', 'odd [1]*.png', 'none/x.txt'])
    writeFileSync(at(name), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

async function* stdin(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk)
}

const namesOf = async (...names: string[]) => (await findImages(names, stdin())).images.map(({ name }) => name)

test('findImages takes files as they are, existing or not, and twice where they are given twice', async () => {
  expect(await namesOf(at('z.jpg'), at('missing.png'), at('z.jpg'))).toEqual([
    at('z.jpg'),
    at('missing.png'),
    at('z.jpg'),
  ])
})

test('findImages takes the images of a folder at any depth, and counts what else is there', async () => {
  const { images, problems, ignored } = await findImages([at('b')])
  expect(images.map(({ source }) => source)).toEqual([at('b/1.png'), at('b/deep/2.png')])
  expect({ problems, ignored }).toEqual({ problems: [], ignored: [at('b/notes.txt')] })
})

test('findImages takes patterns, sorted; a file of that very name comes first', async () => {
  expect(await namesOf(at('**/*.png'))).toEqual([at('a.png'), at('b/1.png'), at('b/deep/2.png'), at('odd [1]*.png')])
  expect(await namesOf(at('odd [1]*.png'))).toEqual([at('odd [1]*.png')])
})

test('findImages reads one image from the standard input', async () => {
  const { images, problems } = await findImages(['-', at('a.png'), '-'], stdin('ab', 'c'))
  expect(images).toEqual([
    { name: '-', source: Buffer.from('abc') },
    { name: at('a.png'), source: at('a.png') },
  ])
  expect(problems).toEqual(['- is there twice; the standard input is one image.'])
})

test('findImages names what stands for no image, and goes on', async () => {
  const { images, problems } = await findImages([at('*.gif'), at('none'), at('a.png')])
  expect(images).toHaveLength(1)
  expect(problems).toEqual([
    `${at('*.gif')} matches no file, and no file has that name.`,
    `${at('none')} holds no image file.`,
  ])
})
