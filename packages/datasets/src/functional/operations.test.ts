/** The functional transforms against torchvision's results on PIL images; what was called is in the results' names. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readSafetensors } from '@vitral/core'
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

describe('as torchvision, to the last bit', () => {
  test('every function that makes an image is tried', () => {
    const others = ['erase', 'normalize', 'resize', 'toTensor'] // in functional.test.ts
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

function differences(actual: ArrayLike<number>, expected: ArrayLike<number>): { count: number; largest: number } {
  let [count, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number))
    if (difference > 0) count++
    largest = Math.max(largest, difference)
  }
  return { count, largest }
}
