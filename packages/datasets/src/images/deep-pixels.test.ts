/** Files of more than 8 bits a channel: PIL's values where it reads them, and errors where they would mean nothing. */
import { expect, test } from 'bun:test'
import sharp from 'sharp'
import { decodeImage } from './decode-image.ts'

/** A TIFF of one strip, little endian; `format` is 1 without a sign, 2 with one, 3 floats. */
function tiff(values: ArrayBufferView, format: number, samples = 1): Uint8Array {
  const pixels = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const bytesEach = (values as Uint8Array).BYTES_PER_ELEMENT
  const count = pixels.length / bytesEach / samples
  // The bits and formats of three samples stand behind the directory, in front of the pixels.
  const lists = samples === 1 ? [] : [Array(samples).fill(8 * bytesEach), Array(samples).fill(format)]
  const listsAt = 8 + 2 + 11 * 12 + 4
  const pixelsAt = listsAt + lists.length * samples * 2
  const fields: [tag: number, type: 3 | 4, count: number, value: number][] = [
    ...[[256, 3, 1, count] as const, [257, 3, 1, 1] as const],
    [258, 3, samples, samples === 1 ? 8 * bytesEach : listsAt],
    ...[[259, 3, 1, 1] as const, [262, 3, 1, samples === 1 ? 1 : 2] as const, [273, 4, 1, pixelsAt] as const],
    ...[[277, 3, 1, samples] as const, [278, 3, 1, 1] as const, [279, 4, 1, pixels.length] as const],
    ...[[284, 3, 1, 1] as const],
    [339, 3, samples, samples === 1 ? format : listsAt + samples * 2],
  ].map(field => [...field]) as [number, 3 | 4, number, number][]
  const file = new DataView(new ArrayBuffer(pixelsAt + pixels.length))
  for (const [at, byte] of [0x49, 0x49, 42, 0, 8].entries()) file.setUint8(at, byte)
  file.setUint16(8, fields.length, true)
  for (const [i, [tag, type, length, value]] of fields.entries()) {
    const at = 10 + i * 12
    file.setUint16(at, tag, true)
    file.setUint16(at + 2, type, true)
    file.setUint32(at + 4, length, true)
    file.setUint32(at + 8, value, true)
  }
  for (const [i, value] of lists.flat().entries()) file.setUint16(listsAt + 2 * i, value, true)
  const bytes = new Uint8Array(file.buffer)
  bytes.set(pixels, pixelsAt)
  return bytes
}

const grey = [0, 1, 64, 100, 128, 200, 254, 255]
const greyOf = async (file: Uint8Array) => [...(await decodeImage(file)).data].filter((_, i) => i % 3 === 0)

test('grey floats and whole numbers from 0 to 255 are the bytes that PIL makes of them', async () => {
  expect(await greyOf(tiff(Uint8Array.from(grey), 1))).toEqual(grey)
  expect(await greyOf(tiff(Float32Array.from(grey), 3))).toEqual(grey)
  expect(await greyOf(tiff(Int32Array.from(grey), 2))).toEqual(grey)
  expect(await greyOf(tiff(Float32Array.of(-3.5, 0.4, 0.6, 100.5, 200.7, 255.9, 300, 1e9), 3))).toEqual([
    0, 0, 0, 100, 200, 255, 255, 255,
  ])
})

test('the high bytes are taken of 16 bits', async () => {
  expect(
    await greyOf(
      tiff(
        Uint16Array.from(grey, value => value * 257),
        1,
      ),
    ),
  ).toEqual(grey)
  const colour = Uint16Array.from({ length: 12 }, (_, i) => i * 5000 + 130)
  expect([...(await decodeImage(tiff(colour, 1, 3))).data]).toEqual([...colour].map(value => value >> 8))
})

const refused: [title: string, file: Uint8Array, message: string][] = [
  [
    'floats from 0 to 1',
    tiff(
      Float32Array.from(grey, value => value / 255),
      3,
    ),
    'its floats lie between 0 and 1, and would become black; expected values from 0 to 255: multiply them by 255.',
  ],
  [
    'bytes in 16 bits',
    tiff(Uint16Array.from(grey), 1),
    'its 16-bit values are all below 256, and would become black; expected 0 to 65535',
  ],
  [
    'colours of bytes in 16 bits',
    tiff(
      Uint16Array.from({ length: 24 }, (_, i) => i),
      1,
      3,
    ),
    'its 16-bit values are all below 256',
  ],
  [
    'signed bytes',
    tiff(Int8Array.from(grey), 2),
    "its pixels are 'char' of 8 bits in 1 channel; expected 8 or 16 bits without a sign",
  ],
  ['signed 16 bits', tiff(Int16Array.from(grey), 2), "its pixels are 'short' of 16 bits"],
  [
    'floats of colour',
    tiff(
      Float32Array.from({ length: 24 }, (_, i) => i / 24),
      3,
      3,
    ),
    "its pixels are 'float' of 32 bits in 3 channels",
  ],
]
test.each(refused)('%s are refused', async (_, file, message) => {
  await expect(decodeImage(file)).rejects.toThrow(message)
})

test('a PNG of bytes in 16 bits is refused, and black is black', async () => {
  const png = (values: Uint16Array) =>
    sharp(values, { raw: { width: values.length, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer()
  await expect(decodeImage(await png(Uint16Array.from(grey)))).rejects.toThrow('its 16-bit values are all below 256')
  expect(await greyOf(await png(new Uint16Array(3)))).toEqual([0, 0, 0])
  expect(await greyOf(tiff(new Float32Array(3), 3))).toEqual([0, 0, 0])
})
