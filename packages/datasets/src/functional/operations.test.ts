/** The functional transforms against torchvision's results on PIL images; what was called is in the results' names. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readSafetensors } from '@vitral/core/files'
import { describeForAllKernels } from '../../test/kernels.ts'
import type { RawImage } from '../types.ts'
import * as functional from './index.ts'

const { tensors } = await readSafetensors(join(import.meta.dir, '../../test/fixtures/operations.safetensors'))

function image(name: string): RawImage {
  const { data, shape } = tensors.get(name) as NonNullable<ReturnType<typeof tensors.get>>
  const [height = 0, width = 0, channels = 0] = shape
  return { data: data as Uint8Array, width, height, channels }
}

type Call = (image: RawImage, ...args: unknown[]) => RawImage
const calls = functional as unknown as Record<string, Call>
const cases = [...tensors.keys()]
  .filter(name => name.startsWith('['))
  .map(name => ({ name, call: JSON.parse(name) as [string, string, ...unknown[]] }))
  .filter(({ call }) => call[0] in calls)
const functionNames = [...new Set(cases.map(({ call }) => call[0]))]

describeForAllKernels('as torchvision, to the last bit', () => {
  test('every function that makes an image is tried', () => {
    const others = ['erase', 'normalize', 'toTensor'] // in functional.test.ts
    expect([...functionNames, ...others].sort()).toEqual(Object.keys(functional).sort())
  })

  for (const functionName of functionNames)
    test(functionName, () => {
      for (const { name, call } of cases.filter(({ call }) => call[0] === functionName)) {
        const [, input, ...args] = call
        const original = image(`input.${input}`)
        const before = original.data.slice()
        const { data, ...size } = (calls[functionName] as Call)(original, ...args)
        const { data: expected, ...expectedSize } = image(name)
        expect({ name, ...size }).toEqual({ name, ...expectedSize })
        expect({ name, ...differences(data, expected) }).toEqual({ name, count: 0, largest: 0 })
        expect(original.data).toEqual(before)
      }
    })
})

describe('erase', () => {
  const tensor = {
    data: Float32Array.from({ length: 24 }, (_, i) => i + 1),
    shape: [2, 3, 4] as [number, number, number],
  }

  test('one value, one for each channel, or all', () => {
    const rectangle = [1, 2, 2, 1] as const
    const changed = (value: functional.EraseValue): [number, number][] =>
      [...functional.erase(tensor, ...rectangle, value).data.entries()].filter(([i, now]) => now !== i + 1)
    expect(changed(-1).map(([i]) => i)).toEqual([6, 10, 18, 22])
    expect(changed([-1, -2]).map(([, value]) => value)).toEqual([-1, -1, -2, -2])
    expect(changed([-1, -2, -3, -4]).map(([, value]) => value)).toEqual([-1, -2, -3, -4])
    expect(tensor.data[6]).toBe(7)
  })

  test('wrong rectangles and values are named', () => {
    expect(() => functional.erase(tensor, 2, 0, 2, 1, 0)).toThrow(
      "erase: the rectangle of 1×2 at (0, 2) is not within the image's 4×3 pixels.",
    )
    expect(() => functional.erase(tensor, 0, -1, 1, 1, 0)).toThrow(
      'erase: left is -1; expected a whole number of at least 0.',
    )
    expect(() => functional.erase(tensor, 0, 0, 2, 2, [1, 2, 3])).toThrow(
      'erase: value has 3 numbers; expected 1, 2 for the channels, or 8 for all pixels.',
    )
  })
})

test('wrong arguments are named', () => {
  const photo = image('input.photo')
  const two: RawImage = { data: new Uint8Array(2), width: 1, height: 1, channels: 2 }
  const named: [call: () => unknown, message: string][] = [
    [
      () => functional.pad(photo, 1, { paddingMode: 'wrap' as 'edge' }),
      "pad: paddingMode is 'wrap'; expected 'constant'",
    ],
    [() => functional.posterize(photo, 9), 'posterize: bits is 9; expected a whole number from 0 to 8.'],
    [() => functional.solarize(photo, -1), 'solarize: threshold is -1; expected a number from 0 to 256.'],
    [() => functional.adjustSharpness(photo, Number.NaN), 'adjustSharpness: factor is NaN'],
    [() => functional.adjustHue(two, 0), 'adjustHue: the image has 2 channels; expected 1 or 3.'],
    [() => functional.toGrayscale(two), 'toGrayscale: the image has 2 channels; expected 1 or 3.'],
    [() => functional.toGrayscale(photo, 2 as 1), 'toGrayscale: numOutputChannels is 2; expected 1 or 3.'],
    [() => functional.affine(photo, { angle: Infinity }), 'affine: angle is Infinity; expected a finite number.'],
    [() => functional.affine(photo, { scale: 0 }), 'affine: scale is 0; expected a number above 0.'],
    [() => functional.affine(photo, { shear: [1] as never }), 'affine: shear is [1]; expected [x, y], finite numbers.'],
    [() => functional.affine(photo, { interpolation: 'cubic' as 'nearest' }), "affine: interpolation is 'cubic'"],
    [
      () => functional.affine(photo, { angle: 5, fill: [1, 2] }),
      'fill is [1,2]; expected a byte, or 3 for 3 channels.',
    ],
    [() => functional.rotate(photo, 5, { fill: 300 }), 'fill is 300; expected a byte'],
    [() => functional.gaussianBlur(photo, 2), 'gaussianBlur: kernelSize is 2; expected odd numbers of at least 1.'],
    [() => functional.gaussianBlur(photo, 3, { sigma: 0 }), 'gaussianBlur: sigma is 0; expected numbers above 0.'],
    [
      () => functional.gaussianBlur(photo, [3, 35]),
      "gaussianBlur: kernelSize is [3,35]; expected less than twice the image's 23×17 pixels.",
    ],
  ]
  for (const [call, message] of named) expect(call).toThrow(message)
})

function differences(actual: ArrayLike<number>, expected: ArrayLike<number>): { count: number; largest: number } {
  let [count, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number))
    if (difference > 0) count++
    largest = Math.max(largest, difference)
  }
  return { count, largest }
}
