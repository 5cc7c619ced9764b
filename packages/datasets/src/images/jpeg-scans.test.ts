import { expect, test } from 'bun:test'
import sharp from 'sharp'
import { BrokenImageError, decodeImage } from '../index.ts'
import { type ImageHeader, readImageHeader } from './image-header.ts'
import { countScans, mostScans } from './jpeg-scans.ts'
import { decodePlainJpeg } from './turbo-jpeg.ts'

const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: '#a63' } })
const plain = await picture.jpeg().toBuffer()
const progressive = await picture.jpeg({ progressive: true }).toBuffer()
const startOfScan = Buffer.of(0xff, 0xda)

/** The file with more scans of all bits of one component, which may come as often as they like. */
function withScans(jpeg: Buffer, count: number): Buffer {
  const scan = Buffer.from(jpeg.subarray(jpeg.lastIndexOf(startOfScan), -2))
  scan[9] = 0
  return Buffer.concat([jpeg.subarray(0, -2), ...Array.from({ length: count }, () => scan), jpeg.subarray(-2)])
}

test('countScans counts the scans of files as they are written', () => {
  expect(countScans(plain)).toBe(1)
  expect(countScans(progressive)).toBe(10)
  expect(countScans(withScans(progressive, 5))).toBe(15)
})

test('countScans passes over all that looks like a scan and is none', async () => {
  const metadata = Buffer.concat(Array.from({ length: 30_000 }, () => startOfScan))
  const length = Buffer.from([(metadata.length + 2) >> 8, (metadata.length + 2) & 255])
  const comment = Buffer.concat([Buffer.of(0xff, 0xfe), length, metadata])
  const described = Buffer.concat([plain.subarray(0, 2), comment, plain.subarray(2)])
  expect(countScans(described)).toBe(1)
  expect(countScans(Buffer.concat([plain, metadata]))).toBe(1) // a video behind the image
  expect((await decodeImage(described)).width).toBe(64)
})

test('countScans ends where a file is cut off or is no JPEG at all', () => {
  for (let length = 0; length < plain.length; length++)
    expect(countScans(plain.subarray(0, length))).toBeLessThanOrEqual(1)
  expect(countScans(Buffer.alloc(1000, 0xff))).toBe(0)
  expect(countScans(Buffer.concat(Array.from({ length: 9 }, () => Buffer.of(0xff, 0xe0, 0, 0))))).toBe(0)
})

test('a small file that would take minutes is refused at once', async () => {
  const large = sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#a63' } })
  const bomb = withScans(await large.jpeg({ progressive: true, quality: 10 }).toBuffer(), 30_000)
  expect(bomb.length).toBeLessThan(1_300_000)
  const before = process.cpuUsage()
  const error = await decodeImage(bomb).catch(error => error)
  const { user, system } = process.cpuUsage(before)
  expect(error).toBeInstanceOf(BrokenImageError)
  expect(error.message).toContain(`it has more than ${mostScans} scans; expected a JPEG file of a few.`)
  expect((user + system) / 1000).toBeLessThan(1000) // milliseconds
}, 60_000)

test('a file of nothing but markers is given up when its time is over', async () => {
  const stuffed = Buffer.alloc(2 ** 24).fill(Buffer.of(0xff, 0))
  let looks = 0
  const scans = countScans(stuffed, () => ++looks === 3)
  expect(scans).toBe(Infinity)
  expect(looks).toBe(3)
})

test('a sequential file of many scans is left to the decoder that has a time limit', async () => {
  const bytes = withScans(plain, 50)
  const header = readImageHeader(bytes) as ImageHeader
  expect(header.jpeg?.isBaseline).toBe(true)
  expect(await decodePlainJpeg(bytes, header, countScans(bytes))).toBeUndefined()
})
