/** AutoAugment and its successors: torchvision's tables, and for AutoAugment its bytes too. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readSafetensors } from '@vitral/core/files'
import * as functional from '../../functional/index.ts'
import { Random } from '../../random/random.ts'
import type { RawImage } from '../../types.ts'
import * as transforms from '../index.ts'
import { augMixSpace } from './aug-mix.ts'
import { applyOperation, isSigned, type OperationName } from './augmentation-operations.ts'
import type { Magnitude } from './augmentation-space.ts'
import { autoAugmentSpace } from './auto-augment.ts'
import { autoAugmentPolicies } from './auto-augment-policies.ts'
import { randAugmentSpace } from './rand-augment.ts'
import { trivialAugmentWideSpace } from './trivial-augment-wide.ts'

const { tensors } = await readSafetensors(join(import.meta.dir, '../../../test/fixtures/operations.safetensors'))
const called = (name: string): [values: ArrayLike<number>, ...args: unknown[]][] =>
  [...tensors]
    .filter(([key]) => key.startsWith(`["${name}"`))
    .map(([key, { data }]) => [data as ArrayLike<number>, ...JSON.parse(key).slice(1)])

const photo: RawImage = {
  data: tensors.get('input.photo')?.data as Uint8Array,
  width: 23,
  height: 17,
  channels: 3,
}

describe('the table of magnitudes is torchvision’s', () => {
  const spaces = {
    autoAugment: autoAugmentSpace,
    randAugment: randAugmentSpace,
    trivialAugmentWide: trivialAugmentWideSpace,
    augMix: augMixSpace,
  }
  for (const [spaceName, space] of Object.entries(spaces))
    test(spaceName, () => {
      const expected = (called('magnitudes') as [ArrayLike<number>, string, string, boolean][])
        .filter(([, of, operation]) => of === spaceName && operation !== 'Invert') // Invert has none
        .map(([values, , operation, signed]) => ({ operation: camelCase(operation), signed, values }))
      expect(space.map(([operation]) => operation).sort()).toEqual(expected.map(({ operation }) => operation).sort())
      for (const { operation, signed, values } of expected) {
        const magnitude = space.find(([name]) => name === operation)?.[1] as Magnitude
        expect({ operation, signed: isSigned(operation) }).toEqual({ operation, signed })
        const steps = Math.max(10, values.length)
        for (let step = 0; step < steps; step++) {
          const wanted = values.length === 1 ? 0 : (values[step] as number)
          // PyTorch's last bit depends on the processor's vectors.
          expect(Math.abs(magnitude(step, steps, photo) - wanted)).toBeLessThanOrEqual(1e-7 * wanted)
        }
      }
    })
})

const camelCase = (name: string): OperationName => `${name.charAt(0).toLowerCase()}${name.slice(1)}` as OperationName

describe('autoAugment', () => {
  for (const policy of ['imagenet', 'cifar10'] as const)
    test(`${policy}: the bytes of each sub-policy, with both signs`, () => {
      const cases = called('autoAugment').filter(([, of]) => of === policy) as [
        ArrayLike<number>,
        string,
        number,
        number,
      ][]
      expect(cases.length).toBe(50)
      for (const [expected, , index, sign] of cases) {
        const random = new Random(0)
        random.below = () => index
        const chances = [true, sign === 0, true, sign === 1] // applied, opposite; twice
        random.chance = () => chances.shift() as boolean
        const { data } = transforms.autoAugment({ policy }).apply(photo, random)
        expect({ index, sign, data: [...data] }).toEqual({ index, sign, data: [...Array.from(expected)] })
      }
    })

  test('sub-policies equally often, each part with its own probability', () => {
    for (const [policy, subPolicies] of Object.entries(autoAugmentPolicies)) {
      const counts = Array<number>(25).fill(0)
      const transform = transforms.autoAugment({ policy: policy as 'imagenet' })
      for (let seed = 0; seed < 5000; seed++) {
        const random = new Random(seed)
        const below = random.below.bind(random)
        const probabilities: number[] = []
        random.below = count => {
          const index = below(count)
          counts[index] = (counts[index] as number) + 1
          probabilities.push(...(subPolicies[index]?.map(([, probability]) => probability) ?? []))
          return index
        }
        random.chance = probability => {
          if (probabilities[0] === probability) probabilities.shift()
          return false
        }
        expect(transform.apply(photo, random)).toBe(photo)
        expect(probabilities).toEqual([])
      }
      expect(chiSquare(counts, 200)).toBeLessThan(51.2) // 24 degrees of freedom, p < 0.001
    }
  })
})

/** A stream that gives these whole numbers, and these answers of chance, in turn. */
function scripted(numbers: number[], answers: boolean[]): Random {
  const random = new Random(0)
  random.below = () => numbers.shift() as number
  random.chance = probability => {
    expect(probability).toBe(0.5)
    return answers.shift() as boolean
  }
  return random
}

test('randAugment: the operations drawn, one after the other, at the magnitude asked for', () => {
  const options = { numOps: 2, magnitude: 20, fill: 50 }
  for (const [index, [name, magnitude]] of randAugmentSpace.entries())
    for (const opposite of [false, true]) {
      const result = transforms.randAugment(options).apply(photo, scripted([index, 8], [opposite, false]))
      const strength = magnitude(20, 31, photo) * (opposite && isSigned(name) ? -1 : 1)
      const contrast = !isSigned(name) && opposite // then the answer is left for contrast
      const factor = magnitude20 * (contrast ? -1 : 1)
      const expected = functional.adjustContrast(applyOperation(name, photo, strength, { fill: 50 }), 1 + factor)
      expect({ name, result }).toEqual({ name, result: expected })
    }
})
const magnitude20 = Math.fround(Math.fround(0.9 / 30) * 20)

test('trivialAugmentWide: one operation, at a magnitude drawn', () => {
  for (const [index, [name, magnitude]] of trivialAugmentWideSpace.entries())
    for (const step of [0, 13, 30]) {
      const result = transforms.trivialAugmentWide().apply(photo, scripted([index, step], [true]))
      const strength = magnitude(step, 31, photo) * (isSigned(name) ? -1 : 1)
      expect({ name, result }).toEqual({ name, result: applyOperation(name, photo, strength, {}) })
    }
})

test('randAugment and trivialAugmentWide draw every operation, magnitude and sign equally often', () => {
  const operations = Array<number>(14).fill(0)
  const steps = Array<number>(31).fill(0)
  for (let seed = 0; seed < 4200; seed++) {
    const random = new Random(seed)
    const below = random.below.bind(random)
    random.below = count => {
      const index = below(count)
      const counts = count === 14 ? operations : steps
      counts[index] = (counts[index] as number) + 1
      return index
    }
    transforms.trivialAugmentWide().apply(photo, random)
  }
  expect(chiSquare(operations, 300)).toBeLessThan(34.6) // 13 degrees of freedom, p < 0.001
  expect(chiSquare(steps, 4200 / 31)).toBeLessThan(59.8) // 30 degrees of freedom
})

describe('augMix', () => {
  const flat: RawImage = { ...photo, data: new Uint8Array(photo.data.length).fill(100) }

  test('shares of the image and of its chains sum to 1', () => {
    // A flat image is left as it is by all operations that remain: what is mixed is the image itself, cut to a byte.
    const transform = transforms.augMix({ severity: 1, allOps: false, fill: 100 })
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed)
      const below = random.below.bind(random)
      random.below = count => (count === 9 ? 8 : below(count)) // equalize
      const { data } = transform.apply(flat, random)
      expect(data.every(value => value === 100 || value === 99)).toBe(true)
    }
  })

  test('with a large alpha the chains have equal shares, together as large as the image’s', () => {
    const random = new Random(5)
    const numbers = [9, 0, 10, 2, 12, 0] // posterize, solarize, equalize, with their magnitudes
    random.below = () => numbers.shift() as number
    const transform = transforms.augMix({ mixtureWidth: 3, chainDepth: 1, alpha: 1e12 })
    const posterized = functional.posterize(photo, 4)
    const solarized = functional.solarize(photo, augMixMagnitude('solarize', 2))
    const equalized = functional.equalize(photo)
    const { data } = transform.apply(photo, random)
    for (let i = 0; i < data.length; i++) {
      const chains = [posterized, solarized, equalized].reduce((sum, image) => sum + (image.data[i] as number) / 3, 0)
      const mixed = ((photo.data[i] as number) + chains) / 2
      expect(Math.abs((data[i] as number) - (mixed - 0.5))).toBeLessThan(0.51) // cut to a byte
    }
  })

  test('chains of one to three operations, as many as asked for, of magnitudes below the severity', () => {
    const counts: Record<number, number[]> = { 3: [0, 0, 0], 13: [], 7: [] }
    let chains = 0
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed)
      const below = random.below.bind(random)
      random.below = count => {
        const drawn = below(count)
        const of = counts[count] as number[]
        of[drawn] = (of[drawn] ?? 0) + 1
        if (count === 3) chains++
        return drawn
      }
      transforms.augMix({ severity: 7, mixtureWidth: 4 }).apply(photo, random)
    }
    expect(chains).toBe(1200)
    expect(chiSquare(counts[3] as number[], 400)).toBeLessThan(13.9) // 2 degrees of freedom, p < 0.001
    expect(chiSquare(counts[13] as number[], 2400 / 13)).toBeLessThan(40) // 12 degrees, and chains of random length
    expect(counts[7]?.length).toBe(7)
  })
})

const augMixMagnitude = (operation: OperationName, step: number): number =>
  augMixSpace.find(([name]) => name === operation)?.[1](step, 10, photo) as number

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}
