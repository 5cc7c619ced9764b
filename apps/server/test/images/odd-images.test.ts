/** Rare but valid image files, files that are polyglots, and files that would take much memory, against a server process. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { failure, post } from '../support/requests.ts'
import { notImages, polyglotEnds } from '../support/strange-files.ts'
import { tinyServer } from '../support/tiny-server.ts'

const MiB = 2 ** 20

const tiny = tinyServer()
const { classify } = tiny
const scores = async (file: Uint8Array): Promise<unknown> => {
  const response = await classify(file)
  expect(response.status).toBe(200)
  return ((await response.json()) as { results: unknown }).results
}

const plain = (width: number, height: number, channels: 3 | 4 = 3): Sharp =>
  sharp({ create: { width, height, channels, background: { r: 200, g: 120, b: 40, alpha: 0.5 } } })
const frames = sharp(Buffer.alloc(8 * 24 * 3, 99), { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })

test.each<[string, Sharp]>([
  ['grey', plain(20, 10).greyscale().jpeg()],
  ['with alpha', plain(20, 10, 4).png()],
  ['of 16 bits', plain(20, 10).toColourspace('rgb16').png()],
  ['of a palette', plain(20, 10).png({ palette: true })],
  ['interlaced', plain(20, 10).png({ progressive: true })],
  ['of CMYK', plain(20, 10).toColourspace('cmyk').jpeg()],
  ['with a colour profile', plain(20, 10).withIccProfile('p3').jpeg()],
  ['animated', frames.webp({ loop: 0, delay: [10, 10, 10] })],
  ['of one pixel', plain(1, 1).webp()],
  ['of one row', plain(16_000, 1).png()],
])('an image %s', async (_, picture) => {
  expect(await scores(await picture.toBuffer())).toHaveLength(1)
})

test('an image is rotated by its EXIF orientation', async () => {
  const upright = Buffer.alloc(30 * 20 * 3).map((_, i) => (i * 7) % 256)
  const picture = (): Sharp => sharp(upright, { raw: { width: 30, height: 20, channels: 3 } })
  const expected = await scores(await picture().png().toBuffer())
  // What a camera writes that was turned: pixels turned the other way, and how to turn them back.
  const lying = await picture().rotate(-90).png().withMetadata({ orientation: 6 }).toBuffer()
  expect(await scores(lying)).toEqual(expected)
  expect(await scores(await sharp(lying).png().toBuffer())).not.toEqual(expected)
})

const fixtures = join(import.meta.dirname, '../../../../packages/datasets/test/fixtures/decode')
const fixture = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(fixtures, name)))

test.each(['colour.bmp', 'top-down.bmp', 'colour.ppm', 'text.ppm'])(
  '%s is classified as the PNG with its pixels',
  async name => {
    expect(await scores(fixture(name))).toEqual(await scores(fixture('colour.png')))
    const { url } = tiny.server
    const drawn = await fetch(new URL('v1/models/tiny/explain', url), post(fixture(name), { accept: 'image/png' }))
    expect([drawn.status, (await sharp(await drawn.arrayBuffer()).metadata()).width]).toEqual([200, 16])
  },
)

test('a BMP with too many pixels is rejected before it is decoded', async () => {
  const bomb = Buffer.from(fixture('run-length.bmp'))
  bomb.writeInt32LE(60_000, 18)
  bomb.writeInt32LE(60_000, 22)
  expect(await failure(await classify(bomb))).toEqual([413, 'image_too_large'])
})

test.each(Object.entries(notImages))('%s is rejected as an image', async (_, make) => {
  expect(await failure(await classify(await make('/etc/passwd')))).toEqual([415, 'unsupported_format'])
})

test.each(Object.entries(polyglotEnds))('a JPEG with %s at its end is classified as the JPEG', async (_, make) => {
  const jpeg = await plain(20, 10).jpeg().toBuffer()
  expect(await scores(Buffer.concat([jpeg, await make('/etc/passwd')]))).toEqual(await scores(jpeg))
})

test('sixteen small files with too many pixels are rejected before they are decoded', async () => {
  const bomb = await plain(5000, 5000).png({ compressionLevel: 9 }).toBuffer()
  expect(bomb.length).toBeLessThan(100_000)
  await classify(bomb)
  const before = tiny.server.memory()
  let most = 0
  const times = Array.from({ length: 16 }, async () => {
    const started = performance.now()
    expect(await failure(await classify(bomb))).toEqual([413, 'image_too_large'])
    most = Math.max(most, tiny.server.memory() - before)
    return performance.now() - started
  })
  const sorted = (await Promise.all(times)).sort((a, b) => a - b)
  expect(most).toBeLessThan(40 * MiB)
  expect(sorted[8]).toBeLessThan(200) // milliseconds; all of them together take 20 on an idle machine
})
