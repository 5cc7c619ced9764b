/** Decoding: files of every kind against PIL's pixels, and files that are broken or made to do harm. */
import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { readSafetensors } from '@vitral/core/files'
import sharp from 'sharp'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { imageFiles } from '../datasets/image-files.ts'
import { createLoader } from '../loader/loader.ts'
import * as transforms from '../transforms/index.ts'
import { BrokenImageError, UnreadableImageError } from './broken-image.ts'
import { decodeImage } from './decode-image.ts'

const fixtures = join(import.meta.dir, '../../test/fixtures')
const jpeg = join(fixtures, 'input.0.jpg')
const kinds = join(fixtures, 'decode')
const expected = JSON.parse(readFileSync(join(kinds, 'expected.json'), 'utf8')) as Record<
  string,
  { width: number; height: number; sha256: string }
>

test.each([0, 1])('JPEG as PIL decodes it, to the last bit: input.%d.jpg', async i => {
  const { tensors } = await readSafetensors(join(fixtures, 'transforms.safetensors'))
  const image = await decodeImage(join(fixtures, `input.${i}.jpg`))
  expect([image.height, image.width, image.channels]).toEqual([32, 32, 3])
  expect(Buffer.from(image.data)).toEqual(Buffer.from(tensors.get(`input.${i}`)?.data as Uint8Array))
})

test.each(Object.entries(expected))('%s has the pixels of PIL', async (file, pixels) => {
  const { data, width, height, channels } = await decodeImage(join(kinds, file))
  const sha256 = createHash('sha256').update(data).digest('hex')
  expect({ width, height, sha256, channels }).toEqual({ ...pixels, channels: 3 })
})

test('AVIF, which PIL does not read', async () => {
  const lossless = await decodeImage(join(kinds, 'colour.avif'))
  expect(Buffer.from(lossless.data)).toEqual(Buffer.from((await decodeImage(join(kinds, 'colour.png'))).data))
})

test('alpha is dropped and not blended', async () => {
  const clear = Buffer.from([10, 20, 30, 0, 40, 50, 60, 128])
  const png = await sharp(clear, { raw: { width: 2, height: 1, channels: 4 } })
    .png()
    .toBuffer()
  expect([...(await decodeImage(png)).data]).toEqual([10, 20, 30, 40, 50, 60])
})

test('decodeImage takes a path, bytes, an ArrayBuffer and a Blob', async () => {
  const bytes = Uint8Array.from(readFileSync(jpeg))
  const sources = [jpeg, bytes, bytes.buffer, new Blob([bytes])]
  const images = await Promise.all(sources.map(source => decodeImage(source)))
  for (const { data } of images) expect(Buffer.from(data)).toEqual(Buffer.from(images[0]?.data as Uint8Array))
})

const folder = temporaryFolder()
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const refusal = async (source: Parameters<typeof decodeImage>[0], options = {}): Promise<BrokenImageError> => {
  const error = await decodeImage(source, options).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(BrokenImageError)
  return error as BrokenImageError
}

describe('refuses, naming the file', () => {
  const whole = Object.keys(expected).filter(name => !/^(exif|animated)/.test(name))
  test.each(whole)('%s cut off anywhere', async name => {
    const bytes = readFileSync(join(kinds, name))
    // The last bytes of a PNG may be missing, for PIL too: its pixels end before.
    for (const share of [0.02, 0.3, 0.6]) {
      const path = file(`cut-${name}`, bytes.subarray(0, Math.max(1, Math.floor(bytes.length * share))))
      const { file: named, message } = await refusal(path)
      expect(named).toBe(path)
      expect(message).toMatch(
        / cannot be decoded: it(s decoder refuses it; the file may be cut off or damaged| is no JPEG)/,
      )
      expect(message).not.toContain('\n')
    }
  })
  test.each([
    ['something else', 'not an image', 'it is no JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP or Netpbm.'],
    ['zeros', new Uint8Array(5000), 'it begins with zeros; expected JPEG,'],
    [
      'a drawing',
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      'an SVG drawing',
    ],
    ['a web page', '<!DOCTYPE html><html>404</html>', 'it is a web page, which a failed download left; expected'],
    ['a PDF', '%PDF-1.7', 'it is a PDF; expected'],
    ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'it is a HEIC image; expected'],
  ])('%s with the name of a JPEG', async (_, content, message) => {
    const path = file('named.jpg', content)
    expect((await refusal(path)).message).toContain(
      `${path} cannot be decoded: ${message.startsWith('it') ? message : `it is ${message}`}`,
    )
  })
  test('an empty file', async () => {
    const path = file('empty.jpg', '')
    expect((await refusal(path)).message).toBe(`${path} is empty; expected an image file.`)
  })
  test('no file, a folder, a dangling link, links in a circle', async () => {
    expect((await refusal(join(folder, 'none.jpg'))).message).toContain('none.jpg does not exist')
    mkdirSync(join(folder, 'folder.jpg'))
    expect((await refusal(join(folder, 'folder.jpg'))).message).toContain('folder.jpg is a folder')
    symlinkSync('nowhere.jpg', join(folder, 'dangling.jpg'))
    expect((await refusal(join(folder, 'dangling.jpg'))).message).toContain('dangling.jpg does not exist')
    symlinkSync('circle.jpg', join(folder, 'circle.jpg'))
    expect((await refusal(join(folder, 'circle.jpg'))).message).toContain('circle.jpg cannot be read: its links')
  })
  test('what is no regular file, without waiting for it', async () => {
    expect((await refusal('/dev/zero')).message).toBe('/dev/zero is no regular file; expected an image file.')
  })
  test('bytes, which have no name', async () => {
    expect((await refusal(Buffer.from('nothing'))).message).toStartWith('An image of 7 bytes cannot be decoded')
  })
})

test('BrokenImageError says which kind of refusal it is', async () => {
  const whole = readFileSync(jpeg)
  expect((await refusal(Buffer.from('nothing'))).reason).toBe('format')
  expect((await refusal(whole, { formats: ['png'] })).reason).toBe('format')
  expect((await refusal(whole, { maxPixels: 100 })).reason).toBe('limit')
  expect((await refusal(whole, { maxBytes: 100 })).reason).toBe('limit')
  expect((await refusal(jpeg, { maxBytes: 100 })).reason).toBe('limit')
  expect((await refusal(join(kinds, 'colour.tif'), { maxPixels: 100 })).reason).toBe('limit')
  expect((await refusal(join(folder, 'none.jpg'))).reason).toBe('damaged')
  expect((await refusal(whole.subarray(0, whole.length / 2))).reason).toBe('damaged')
  expect((await refusal(Buffer.alloc(0))).reason).toBe('damaged')
})

test.skipIf(process.platform !== 'linux')('a fault of reading is no broken image, and never skipped', async () => {
  const path = '/proc/self/mem' // a regular file by its looks, whose first page cannot be read
  const error = await decodeImage(path).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UnreadableImageError)
  expect((error as UnreadableImageError).message).toStartWith('/proc/self/mem cannot be read (EIO')
  expect((error as UnreadableImageError).file).toBe(path)
  const dataset = imageFiles([{ path, label: 0 }], ['a'], { onBroken: 'skip' })
  for (const workers of [0, 1]) {
    const loader = createLoader(dataset, { transforms: [transforms.toTensor()], batchSize: 1, workers })
    const thrown = (await loader
      .batches()
      .next()
      .catch((error: unknown) => error)) as Error
    expect(thrown.message).toStartWith('Example 0: /proc/self/mem cannot be read')
    expect(thrown.cause).toBeInstanceOf(UnreadableImageError)
    await loader.close()
  }
})

describe('keeps limits', () => {
  test('maxPixels refuses a header of more', async () => {
    expect((await refusal(jpeg, { maxPixels: 1023 })).message).toBe(
      `${jpeg} cannot be decoded: it has 32×32 pixels, more than maxPixels, 1023; raise it if that is meant.`,
    )
    expect((await decodeImage(jpeg, { maxPixels: 1024 })).width).toBe(32)
  })
  test('maxPixels refuses more where only the decoder knows them', async () => {
    const path = join(kinds, 'colour.tif')
    expect((await refusal(path, { maxPixels: 100 })).message).toContain('it has more than 100 pixels')
  })
  test.each(readdirSync(kinds).filter(name => !/json|tif/.test(name)))(
    'decodeImage limits pixels by the header of %s',
    async name => {
      const { message } = await refusal(join(kinds, name), { maxPixels: 100 })
      expect(message).toMatch(/it has (16×12|12×16) pixels, more than maxPixels, 100/)
    },
  )
  test('maxBytes refuses a larger file', async () => {
    expect((await refusal(jpeg, { maxBytes: 100 })).message).toMatch(
      /input\.0\.jpg has \d+ bytes, more than maxBytes, 100\./,
    )
    expect((await refusal(readFileSync(jpeg), { maxBytes: 100 })).message).toMatch(
      /^An image of \d+ bytes has more than maxBytes, 100 bytes\.$/,
    )
  })
  test('formats refuses all others', async () => {
    expect((await refusal(jpeg, { formats: ['png', 'webp'] })).message).toBe(
      `${jpeg} cannot be decoded: it is a JPEG image; expected PNG or WebP.`,
    )
  })
  test('against a bomb: a small file of very many pixels', async () => {
    const path = file('bomb.png', png(60_000, 60_000, deflateSync(new Uint8Array(10_000_000))))
    expect((await refusal(path)).message).toContain('it has 60000×60000 pixels, more than maxPixels, 67108864')
  })
  test('timeoutSeconds ends a progressive JPEG whose last scan is there many times', async () => {
    const picture = sharp({ create: { width: 8000, height: 8000, channels: 3, background: '#a63' } })
    const bytes = await picture.jpeg({ progressive: true, quality: 10 }).toBuffer()
    const scan = Buffer.from(bytes.subarray(bytes.lastIndexOf(Buffer.from([0xff, 0xda])), -2))
    scan[9] = 0 // a first one of all bits and not the last bit's, which may come only once
    const scans = Array.from({ length: 80 }, () => scan) // each is decoded over the whole image
    const path = file('slow.jpg', Buffer.concat([bytes.subarray(0, -2), ...scans, bytes.subarray(-2)]))
    const error = await refusal(path, { timeoutSeconds: 1 })
    expect(error.message).toBe(
      `${path} cannot be decoded: it takes longer than 1 s; raise timeoutSeconds if that is meant.`,
    )
    expect(error.reason).toBe('time')
  }, 60_000)
  test('timeoutSeconds is a whole number', async () => {
    await expect(decodeImage(jpeg, { timeoutSeconds: 0.5 })).rejects.toThrow(
      'timeoutSeconds is 0.5; expected a whole number from 1 to 3600.',
    )
  })
})

/** A PNG of one-bit grey. */
function png(width: number, height: number, pixels: Uint8Array): Buffer {
  const chunk = (kind: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(kind), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
