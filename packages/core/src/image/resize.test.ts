import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SafeTensor } from '../files/safetensors/safetensors.ts'
import { readSafetensors } from '../files/safetensors/safetensors-file.ts'
import type { RawImage } from './raw-image.ts'
import { type Interpolation, resizeImage } from './resize.ts'

const path = join(import.meta.dirname, '../../test/fixtures/transforms/transforms.safetensors')
let tensors: Map<string, SafeTensor>
beforeAll(async () => {
  tensors = (await readSafetensors(path)).tensors
})

function image(name: string): RawImage {
  const { shape, data } = tensors.get(name) as SafeTensor
  const [height, width, channels] = shape as [number, number, number]
  return { data: data as Uint8Array, width, height, channels }
}

const cases: [name: string, input: string, size: [number, number], interpolation: Interpolation][] = [
  ...['0', '1', '2', '3', 'odd'].map((i): (typeof cases)[number] => [
    `resize224_bilinear.${i}`,
    `input.${i}`,
    [224, 224],
    'bilinear',
  ]),
  ['resize64x48_bilinear.big', 'input.big', [64, 48], 'bilinear'],
  ['resize64x48_bicubic.big', 'input.big', [64, 48], 'bicubic'],
]

for (const [name, input, size, interpolation] of cases)
  test(`${name} is PIL's to the last bit`, () => {
    const expected = image(name)
    const resized = resizeImage(image(input), size, { interpolation })
    expect([resized.height, resized.width]).toEqual([expected.height, expected.width])
    expect(Buffer.compare(Buffer.from(resized.data), Buffer.from(expected.data))).toBe(0)
  })

interface PilCase {
  interpolation: Interpolation
  from: [height: number, width: number, channels: number]
  to: [height: number, width: number]
  /** Base64 of what Pillow 9.4 makes of byte i = ((31·i² + 97·i) >> 3) mod 256. */
  bytes: string
}

const pilCases: PilCase[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/fixtures/pil-resize.json'), 'utf8'),
)
test.each(pilCases)('$interpolation from $from to $to is PIL byte for byte', ({ interpolation, from, to, bytes }) => {
  const [height, width, channels] = from
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => ((i * i * 31 + i * 97) >> 3) % 256)
  const resized = resizeImage({ data, width, height, channels }, to, { interpolation })
  expect(Buffer.from(resized.data).toString('base64')).toBe(bytes)
})

test('nearest takes the pixel under the centre', () => {
  const row = { data: Uint8Array.of(10, 20, 30, 40, 50), width: 5, height: 1, channels: 1 }
  expect([...resizeImage(row, [2, 3], { interpolation: 'nearest' }).data]).toEqual([10, 30, 50, 10, 30, 50])
})

test('nearest sums up its steps as PIL does, where a centre is on the edge of two pixels', () => {
  const row = { data: Uint8Array.of(0, 1), width: 2, height: 1, channels: 1 }
  expect([...resizeImage(row, [1, 7], { interpolation: 'nearest' }).data]).toEqual([0, 0, 0, 0, 1, 1, 1])
})

test('a very tall image is shrunk along its columns first, as by PIL', () => {
  const data = Uint8Array.from({ length: 2 * 210 }, (_, i) => i * 73)
  const { data: resized } = resizeImage({ data, width: 2, height: 210, channels: 1 }, [3, 5])
  expect([...resized]).toEqual([133, 133, 134, 134, 134, 123, 123, 124, 125, 125, 131, 131, 132, 133, 133])
})

test('an image of its own size is copied, not shared', () => {
  const original = { data: Uint8Array.of(1, 2, 3, 4), width: 2, height: 2, channels: 1 }
  const same = resizeImage(original, [2, 2])
  expect([...same.data]).toEqual([1, 2, 3, 4])
  expect(same.data).not.toBe(original.data)
})

test('wrong sizes and data of the wrong length are refused', () => {
  const original = { data: Uint8Array.of(1, 2, 3, 4), width: 2, height: 2, channels: 1 }
  expect(() => resizeImage(original, [0, 2])).toThrow('size is [0,2]; expected positive whole numbers')
  expect(() => resizeImage(original, [1, 1], { interpolation: 'cubic' as never })).toThrow(
    "interpolation is 'cubic'; expected 'nearest', 'lanczos'",
  )
  expect(() => resizeImage({ ...original, width: 3 }, [2, 2])).toThrow('has 4 bytes; expected 6')
})
