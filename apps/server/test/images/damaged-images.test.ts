/**
 * Image files that are truncated, noise, or have flipped bits: each is rejected as the client's error or decoded, and none
 * brings anything down. FLIPPED_IMAGES=200000 and FLIP_SEED=7 in the environment go further.
 */
import { beforeAll, expect, test } from 'bun:test'
import sharp from 'sharp'
import { randomFrom } from '../support/random.ts'
import { failure, images } from '../support/requests.ts'
import { tinyServer } from '../support/tiny-server.ts'

const flipped = Number(process.env.FLIPPED_IMAGES ?? 1000)
const seed = Number(process.env.FLIP_SEED ?? 1)
const MiB = 2 ** 20

const tiny = tinyServer()
const { classify } = tiny
let files: Uint8Array<ArrayBuffer>[]
beforeAll(async () => {
  const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const
  const photo = sharp({ create: { width: 64, height: 48, channels: 3, background: '#000', noise } })
  const made = [
    photo.jpeg(),
    photo.jpeg({ progressive: true }),
    photo.png(),
    photo.webp(),
    photo.webp({ lossless: true }),
  ]
  files = (await Promise.all(made.map(picture => picture.toBuffer()))).map(file => Uint8Array.from(file))
  for (const file of files) expect((await classify(file)).status).toBe(200)
}, 60_000)
/** A few at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const next = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, next))
}

test('files truncated at every hundredth are rejected', async () => {
  const cuts = files.flatMap(file => Array.from({ length: 99 }, (_, i) => file.slice(0, (file.length * (i + 1)) / 100)))
  await forEach(cuts, async cut => {
    expect(await failure(await classify(cut))).toEqual(
      cut.length < 12 ? [415, 'unsupported_format'] : [422, 'image_corrupt'],
    )
  })
}, 60_000)

test('a thousand files of noise, and files that are not images, are rejected', async () => {
  const before = tiny.server.memory()
  const texts = ['', 'hello', '<html><body>404</body></html>'].map(text => new TextEncoder().encode(text))
  const noise = Array.from({ length: 1000 }, () => crypto.getRandomValues(new Uint8Array(4096)))
  await forEach([...texts, ...noise], async bytes => {
    expect(await failure(await classify(bytes))).toEqual([415, 'unsupported_format'])
  })
  expect(tiny.server.memory() - before).toBeLessThan(8 * MiB + 8 * MiB) // and what has not been collected
}, 60_000)

test(`${flipped} files with flipped bits from seed ${seed} are rejected or decoded`, async () => {
  const random = randomFrom(seed)
  const below = (count: number): number => Math.floor(random() * count)
  let slowest = 0
  await forEach(
    Array.from({ length: flipped }, (_, i) => i),
    async i => {
      const file = (files[i % files.length] as Uint8Array).slice()
      for (let flips = 1 + below(8); flips > 0; flips--) {
        const at = below(file.length)
        file[at] = (file[at] as number) ^ (1 << below(8))
      }
      const started = performance.now()
      const response = await classify(new Uint8Array(file))
      slowest = Math.max(slowest, performance.now() - started)
      if (response.status !== 200)
        expect((await failure(response))[1]).toBeOneOf(['image_corrupt', 'image_too_large', 'unsupported_format'])
      else await response.arrayBuffer()
    },
  )
  expect(slowest).toBeLessThan(2000)
  expect((await classify(images.jpeg)).status).toBe(200)
}, 600_000)
