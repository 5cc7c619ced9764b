/** Writes PNG files for tests. */
import { crc32, deflateSync } from 'node:zlib'

type Colour = readonly [red: number, green: number, blue: number]

/** A PNG of 8-bit colour: of one, or of each pixel's own. */
export function png(width: number, height: number, colour: Colour | ((x: number, y: number) => Colour)): Buffer {
  const colourAt = typeof colour === 'function' ? colour : () => colour
  const rows = Buffer.alloc(height * (1 + 3 * width))
  for (let i = 0; i < width * height; i++)
    rows.set(colourAt(i % width, Math.floor(i / width)), Math.floor(i / width) * (1 + 3 * width) + 1 + 3 * (i % width))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.of())])
}

function chunk(kind: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(kind), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
