/** Every form that an image has in a page gives the pixel values that its bytes give here, in Chromium and Firefox. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { browsers, resultsIn } from '../../test/browser-results.ts'
import type { ImageSourceResults } from '../../test/image-sources-page.ts'
import { useBackend } from '../backend.ts'
import { randomBits } from '../tape/random.ts'
import { ViTImageProcessor } from './image-processor.ts'

const [width, height] = [37, 23]
const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => randomBits(1, i) >>> 24)

/** An RGB PNG without a filter. */
function png(): Uint8Array {
  const chunk = (name: string, bytes: Uint8Array): Uint8Array[] => {
    const named = Buffer.concat([Buffer.from(name), bytes])
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(bytes.length)
    checksum.writeUInt32BE(Bun.hash.crc32(named))
    return [length, named, checksum]
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  const rows = Array.from({ length: height }, (_, y) => [
    0,
    ...data.subarray(y * width * 3, (y + 1) * width * 3),
  ]).flat()
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  return Buffer.concat([
    signature,
    ...chunk('IHDR', head),
    ...chunk('IDAT', deflateSync(Uint8Array.from(rows))),
    ...chunk('IEND', new Uint8Array()),
  ])
}

describe.each(browsers)('in %s', (_, browser) => {
  let results: ImageSourceResults
  let expected: number[]

  beforeAll(async () => {
    if (!browser.program) return
    await useBackend('cpu')
    const processor = new ViTImageProcessor({ size: { height: 8, width: 8 } })
    expected = [...(await (await processor.preprocess({ data, width, height, channels: 3 })).data())]
    results = await resultsIn(browser, join(import.meta.dir, '../../test/image-sources-page.ts'), ({ url }) =>
      url.endsWith('/picture.png') ? new Response(png() as BodyInit) : new Response('no', { status: 404 }),
    )
    expect(results.errors.page).toBeUndefined()
  }, 120_000)

  test.skipIf(!browser.program)(
    'preprocess takes addresses, files, bitmaps, canvases, frames and image elements',
    () => {
      const { video, ...exact } = results.values
      expect(Object.keys(exact)).toHaveLength(13)
      for (const [name, values] of Object.entries(exact)) expect([name, values]).toEqual([name, expected])
      const differences = expected.map((value, i) => Math.abs(value - (video?.[i] as number)))
      expect(video).toHaveLength(expected.length)
      expect(Math.max(...differences)).toBeLessThan(0.1)
    },
  )

  test.skipIf(!browser.program)('what cannot be read is one line that names it', () => {
    const { cut, text, ...others } = results.errors
    expect(cut).toStartWith('cut.png cannot be decoded by this browser (it is cut off); expected a whole JPEG, PNG,')
    expect(text).toStartWith('An image of 8 bytes cannot be decoded by this browser (')
    expect(others).toEqual({
      empty: 'empty.png is empty; expected an image file.',
      missing: '/missing.png answered 404 Not Found; expected an image file.',
      closed: 'An ImageBitmap cannot be read: it has 0×0 pixels.',
      video: "An HTMLVideoElement cannot be read: it has no picture yet; wait for its event 'loadeddata'.",
      nothing: expect.stringContaining('An Undefined is no image; expected pixels'),
      map: expect.stringContaining('A Map is no image; expected pixels'),
      'canvas of no size': 'An HTMLCanvasElement cannot be read: it has 0×150 pixels.',
    })
  })
})
