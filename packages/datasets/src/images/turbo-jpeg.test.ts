/** The installed libjpeg-turbo against sharp: the same bytes, and what is left to sharp. */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nativeJpegDecoder } from '@vitral/backend-node/images'
import sharp, { type Sharp } from 'sharp'
import { type ImageHeader, readImageHeader } from './image-header.ts'
import { countScans } from './jpeg-scans.ts'
import { decodePlainJpeg } from './turbo-jpeg.ts'

const isThere = nativeJpegDecoder() !== undefined
if (!isThere) console.log('skipped: decoding by libjpeg-turbo, which is not installed (apt-get install libturbojpeg0)')

const decode = (bytes: Uint8Array) => decodePlainJpeg(bytes, readImageHeader(bytes) as ImageHeader, countScans(bytes))
const fixtures = join(import.meta.dir, '../../test/fixtures/decode')
const fixture = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(fixtures, name)))

/** Noise of all frequencies, so that every rounding counts. */
function picture(width: number, height: number, channels: 1 | 3): Sharp {
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, i) => 128 + 100 * Math.sin(i / 7) * Math.cos((i * i) / 9001) + ((i * 7919) % 27),
  )
  return sharp(data, { raw: { width, height, channels } })
}

describe.skipIf(!isThere)('the bytes of sharp', () => {
  const sizes = [
    [1, 1],
    [7, 5],
    [16, 16],
    [33, 65],
    [500, 375],
  ] as const
  const kinds = [
    { chromaSubsampling: '4:4:4', quality: 95 },
    { chromaSubsampling: '4:2:0', quality: 80 },
    { chromaSubsampling: '4:2:0', quality: 30, optimiseCoding: true },
  ]
  test.each(sizes.flatMap(([width, height]) => kinds.map(kind => [width, height, kind] as const)))(
    '%d × %d, %j',
    async (width, height, kind) => {
      for (const channels of [1, 3] as const) {
        const bytes = Uint8Array.from(await picture(width, height, channels).jpeg(kind).toBuffer())
        const image = await decode(bytes)
        expect([image?.width, image?.height, image?.channels]).toEqual([width, height, 3])
        const expected = await sharp(bytes).toColourspace('srgb').raw().toBuffer()
        expect(Buffer.from(image?.data as Uint8Array).equals(expected)).toBe(true)
      }
    },
  )

  test('files of other programs have the bytes of sharp', async () => {
    for (const name of ['colour.jpg', 'grey.jpg', 'subsampled.jpg', 'profile.jpg', 'exif-1.jpg']) {
      const image = await decode(fixture(name))
      const expected = await sharp(fixture(name), { ignoreIcc: true }).toColourspace('srgb').raw().toBuffer()
      expect(Buffer.from(image?.data as Uint8Array).equals(expected)).toBe(true)
    }
  })
})

describe('left to sharp', () => {
  const turned = readdirSync(fixtures).filter(name => /^exif-[2-8]/.test(name))
  test.each(['progressive.jpg', 'cmyk.jpg', 'colour.png', ...turned])('%s', async name => {
    expect(await decode(fixture(name))).toBeUndefined()
  })

  test('a file that is cut off is left to sharp', async () => {
    const bytes = fixture('colour.jpg')
    for (const share of [0.3, 0.6, 0.9]) expect(await decode(bytes.slice(0, bytes.length * share))).toBeUndefined()
  })

  test('a file larger than its time allows is left to sharp', async () => {
    const bytes = fixture('colour.jpg')
    const header = readImageHeader(bytes) as ImageHeader
    expect(await decodePlainJpeg(bytes, { ...header, size: { width: 4097, height: 4096 } }, 1)).toBeUndefined()
  })

  test.skipIf(!isThere)('a file of another size than announced is left to sharp', async () => {
    const bytes = fixture('colour.jpg')
    const header = readImageHeader(bytes) as ImageHeader
    const { width, height } = header.size as { width: number; height: number }
    expect(await decodePlainJpeg(bytes, { ...header, size: { width: width + 1, height } }, 1)).toBeUndefined()
    expect(await decodePlainJpeg(bytes, header, 1)).toMatchObject({ width, height })
  })

  test.skipIf(!isThere)('a damaged file is left to sharp, and others are decoded after it', async () => {
    const bytes = fixture('colour.jpg')
    for (let length = 2; length < bytes.length - 2; length += 5) {
      const header = { ...(readImageHeader(bytes) as ImageHeader) }
      expect(await decodePlainJpeg(bytes.slice(0, length), header, 1)).toBeUndefined()
      expect(await decodePlainJpeg(bytes, header, 1)).toBeDefined()
    }
  })
})
