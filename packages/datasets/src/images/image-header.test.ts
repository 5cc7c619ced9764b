import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { decodeImage } from './decode-image.ts'
import { mostSegments, readImageHeader } from './image-header.ts'

const plain = await sharp({ create: { width: 16, height: 12, channels: 3, background: '#a63' } })
  .jpeg()
  .toBuffer()
const fixture = (name: string): Buffer => readFileSync(join(import.meta.dir, '../../test/fixtures/decode', name))

/** The picture with more before its own segments. */
const behind = (...segments: Buffer[]): Buffer => Buffer.concat([plain.subarray(0, 2), ...segments, plain.subarray(2)])

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

/** A segment of EXIF whose one entry says how the picture is turned, and that says to have so many entries. */
function exif(orientation: number, entries = 1, directory = 8): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 12 + 4)
  tiff.write('MM\0*', 0, 'latin1')
  tiff.writeUInt32BE(directory, 4)
  tiff.writeUInt16BE(entries, 8)
  tiff.writeUInt16BE(0x0112, 10)
  tiff.writeUInt16BE(3, 12)
  tiff.writeUInt32BE(1, 14)
  tiff.writeUInt16BE(orientation, 18)
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]))
}

/** Milliseconds of the processor. */
function costOf<T>(work: () => T): { result: T; cost: number } {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return { result, cost: (user + system) / 1000 }
}

describe('EXIF’s orientation', () => {
  test('is that of the first segment, as decoders have it', async () => {
    for (const [first, second] of [
      [1, 6],
      [6, 1],
      [6, 3],
    ] as const) {
      const file = behind(exif(first), exif(second))
      expect(readImageHeader(file)?.jpeg?.orientation).toBe(first)
      const { width, height } = await decodeImage(file)
      expect([width, height]).toEqual(first === 6 ? [12, 16] : [16, 12])
    }
  })

  test('is found in files by other programs', () => {
    for (let turn = 1; turn <= 8; turn++)
      expect(readImageHeader(fixture(`exif-${turn}.jpg`))?.jpeg?.orientation).toBe(turn)
  })

  test('is left to the decoder where the directory is not in its segment', () => {
    for (const odd of [
      exif(6, 65_535),
      exif(6, 1, 1e9),
      exif(6, 1, 2 ** 32 - 1),
      segment(0xe1, Buffer.from('Exif\0\0')),
    ])
      expect(readImageHeader(behind(odd))).toMatchObject({
        size: { width: 16, height: 12 },
        jpeg: { orientation: undefined },
      })
  })

  test('of thousands of segments with 65,535 entries each costs no more than to look for them', async () => {
    // Each points into the pixels' end, where as many entries would fit.
    const tail = Buffer.alloc(900_000)
    const directory = 1_800_000
    const file = Buffer.concat([behind(Buffer.alloc(4000 * 36, exif(1, 65_535, directory))), tail])
    const { result, cost } = costOf(() => readImageHeader(file))
    expect(result?.size).toEqual({ width: 16, height: 12 })
    expect(cost).toBeLessThan(500)
    const { width } = await decodeImage(file)
    expect(width).toBe(16)
  })
})

test('a file of more segments than any program writes has no size, and costs nothing', () => {
  const file = behind(Buffer.alloc(4_000_000, Buffer.of(0xff, 0xe2, 0, 2)))
  const { result, cost } = costOf(() => readImageHeader(file))
  expect(result).toEqual({ format: 'jpeg' })
  expect(cost).toBeLessThan(100)
  const most = behind(Buffer.alloc(4 * (mostSegments - 20), Buffer.of(0xff, 0xe2, 0, 2)))
  expect(readImageHeader(most)?.size).toEqual({ width: 16, height: 12 })
})

test('every cut of a file is a header or none', () => {
  const file = behind(exif(6))
  for (let length = 3; length < file.length; length++)
    expect(readImageHeader(file.subarray(0, length))?.format).toBe('jpeg')
})
