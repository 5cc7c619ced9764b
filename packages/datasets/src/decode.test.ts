/** Decoding: fixtures against PIL's pixels, made files against the pixels they were made from. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors } from '@vitral/core'
import sharp, { type Sharp } from 'sharp'
import { temporaryFolder } from '../test/temporary-folder.ts'
import { decodeImage } from './decode.ts'

const fixtures = join(import.meta.dir, '../test/fixtures')
const jpeg = join(fixtures, 'input.0.jpg')

test.each([0, 1])('JPEG as PIL decodes it, to the last bit: input.%d.jpg', async i => {
  const { tensors } = await readSafetensors(join(fixtures, 'transforms.safetensors'))
  const image = await decodeImage(join(fixtures, `input.${i}.jpg`))
  expect([image.height, image.width, image.channels]).toEqual([32, 32, 3])
  expect(Buffer.from(image.data)).toEqual(Buffer.from(tensors.get(`input.${i}`)?.data as Uint8Array))
})

/** Two pixels side by side: red, then blue. */
const redBlue = Buffer.from([255, 0, 0, 0, 0, 255])
const make = (data: Buffer, channels: 1 | 3 | 4): Sharp =>
  sharp(data, { raw: { width: data.length / channels, height: 1, channels } })

describe('becomes RGB', () => {
  const pixels = async (bytes: Promise<Buffer>): Promise<number[]> => {
    const { data, channels } = await decodeImage(await bytes)
    expect(channels).toBe(3)
    return [...data]
  }

  test('palette', async () => {
    expect(await pixels(make(redBlue, 3).png({ palette: true }).toBuffer())).toEqual([...redBlue])
  })
  test('grey', async () => {
    const grey = make(Buffer.from([7, 200]), 1).toColourspace('b-w')
    expect(await pixels(grey.png().toBuffer())).toEqual([7, 7, 7, 200, 200, 200])
  })
  test('alpha, which is dropped and not blended', async () => {
    const clear = make(Buffer.from([10, 20, 30, 0, 40, 50, 60, 128]), 4)
    expect(await pixels(clear.png().toBuffer())).toEqual([10, 20, 30, 40, 50, 60])
  })
  test('WebP', async () => {
    expect(await pixels(make(redBlue, 3).webp({ lossless: true }).toBuffer())).toEqual([...redBlue])
  })
  test('the first frame of a GIF', async () => {
    expect(await pixels(make(redBlue, 3).gif().toBuffer())).toEqual([...redBlue])
  })
})

test('turns as EXIF says', async () => {
  const turned = await make(redBlue, 3).withMetadata({ orientation: 6 }).png().toBuffer()
  const { data, width, height } = await decodeImage(turned)
  expect([width, height]).toEqual([1, 2])
  expect([...data]).toEqual([...redBlue])
})

describe('refuses', () => {
  const folder = temporaryFolder()
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }

  test('a file cut off', async () => {
    const path = file('cut.jpg', readFileSync(jpeg).subarray(0, 600))
    await expect(decodeImage(path)).rejects.toThrow(`${path} cannot be decoded: `)
  })
  test('something else', async () => {
    const path = file('text.jpg', 'not an image')
    await expect(decodeImage(path)).rejects.toThrow(
      `${path} cannot be decoded: it is no JPEG, PNG, WebP, AVIF, TIFF or GIF.`,
    )
  })
  test('an empty file', async () => {
    const path = file('empty.jpg', '')
    await expect(decodeImage(path)).rejects.toThrow(`${path} is empty`)
  })
  test('no file, a folder', async () => {
    await expect(decodeImage(join(folder, 'none.jpg'))).rejects.toThrow('none.jpg does not exist')
    await expect(decodeImage(folder)).rejects.toThrow(`${folder} is a folder`)
  })
  test('too many pixels', async () => {
    await expect(decodeImage(jpeg, { maxPixels: 1023 })).rejects.toThrow(
      `${jpeg} cannot be decoded: it has more than 1023 pixels; raise maxPixels if that is meant.`,
    )
    expect((await decodeImage(jpeg, { maxPixels: 1024 })).width).toBe(32)
  })
  test('bytes, which have no name', async () => {
    await expect(decodeImage(Buffer.from('nothing'))).rejects.toThrow('An image of 7 bytes cannot be decoded')
  })
})
