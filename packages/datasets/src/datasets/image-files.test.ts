/** Images by path, by address and as bytes, in Bun; browser.test.ts of the loader has those of pages. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { useBackend, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '../images/decode-image.ts'
import { imageFiles } from './image-files.ts'

const path = join(import.meta.dir, '../../test/fixtures/decode/colour.png')
const bytes = readFileSync(path)

test('an image may be a path, an address, bytes, a File or pixels, and has a name', async () => {
  const server = Bun.serve({
    port: 0,
    fetch: ({ url }) => (url.endsWith('.png') ? new Response(bytes) : new Response('', { status: 404 })),
  })
  const expected = await decodeImage(path)
  const address = `${server.url}a.png`
  const sources = [path, pathToFileURL(path), address, new URL(address), bytes, new File([bytes], 'b.png'), expected]
  const dataset = imageFiles(
    sources.map(source => ({ path: source, label: 0 })),
    ['a'],
  )
  for (let i = 0; i < dataset.length; i++) expect((await dataset.get(i)).image).toEqual(expected)
  const names = [path, pathToFileURL(path).href, address, address, 'image 4', 'b.png', 'image 6']
  expect(dataset.files.map(({ path }) => path)).toEqual(names)
  await expect(decodeImage(`${server.url}missing`)).rejects.toThrow(`${server.url}missing answered 404 Not Found.`)
  await server.stop(true)
})

test('what is no image is refused with what may be one', () => {
  expect(() => imageFiles([{ path: 5 as never, label: 0 }], ['a'])).toThrow('A Number is no image; expected pixels')
})

test('a processor prepares a path as it does the pixels in it', async () => {
  await useBackend('cpu')
  const processor = new ViTImageProcessor({ size: { height: 8, width: 8 } })
  const [fromPath, fromPixels] = await Promise.all(
    [path, await decodeImage(path)].map(image => processor.preprocess(image)),
  )
  expect(await fromPath?.data()).toEqual(await fromPixels?.data())
  await expect(processor.preprocess('/nowhere.png')).rejects.toThrow(
    '/nowhere.png does not exist; expected an image file.',
  )
})
