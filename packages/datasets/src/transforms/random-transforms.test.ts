/** What the random transforms draw, and from which distributions. */
import { describe, expect, test } from 'bun:test'
import * as functional from '../functional/index.ts'
import { Random } from '../random/random.ts'
import type { ImageTensor, RawImage, Transform } from '../types.ts'
import { drawRectangle } from './geometry/draw-rectangle.ts'
import * as transforms from './index.ts'

/** Each pixel's colour says where it is: [x, y, 7]. */
function positions(width: number, height: number): RawImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return [pixel % width, Math.floor(pixel / width), 7][i % 3] as number
  })
  return { data, width, height, channels: 3 }
}

const image = positions(40, 30)
const apply = (transform: Transform<RawImage, RawImage>, seed: number, sample = image): RawImage =>
  transform.apply(sample, new Random(seed))

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** A stream whose uniform draws are all at the same place of their range; it writes down the ranges. */
function at(place: number): { random: Random; ranges: [low: number, high: number][] } {
  const random = new Random(0)
  const ranges: [number, number][] = []
  random.uniform = (low, high) => {
    ranges.push([low, high])
    return low + place * (high - low)
  }
  return { random, ranges }
}

describe('randomCrop', () => {
  for (const paddingMode of ['edge', 'reflect', 'symmetric'] as const)
    test(`a crop of the image padded by ${paddingMode}, from everywhere`, () => {
      const crop = transforms.randomCrop([30, 40], { padding: [2, 1], paddingMode })
      const padded = functional.pad(image, [2, 1], { paddingMode })
      const all = new Set<string>()
      for (let top = 0; top <= 2; top++)
        for (let left = 0; left <= 4; left++) all.add(functional.crop(padded, top, left, 30, 40).data.join())
      const seen = new Set<string>()
      for (let seed = 0; seed < 300; seed++) seen.add(apply(crop, seed).data.join())
      expect(seen).toEqual(all)
    })

  test('padIfNeeded: a small image is somewhere within the result', () => {
    const crop = transforms.randomCrop([50, 44], { padIfNeeded: true, fill: 99 })
    const corners = new Set<string>()
    for (let seed = 0; seed < 400; seed++) {
      const { data, width, height } = apply(crop, seed)
      expect([width, height]).toEqual([44, 50])
      let inside = 0
      for (let i = 2; i < data.length; i += 3) if (data[i] === 7) inside++
      expect(inside).toBe(40 * 30)
      const first = data.findIndex((value, i) => i % 3 === 2 && value === 7)
      corners.add(`${Math.floor(first / 3) % 44},${Math.floor(first / 3 / 44)}`)
    }
    expect(corners.size).toBeGreaterThan(95) // of 5 · 21
  })
})

test('randomVerticalFlip: as often as asked', () => {
  const flip = transforms.randomVerticalFlip(0.3)
  const flipped = functional.vflip(image).data.join()
  let count = 0
  for (let seed = 0; seed < 2000; seed++) {
    const result = apply(flip, seed)
    if (result === image) continue
    expect(result.data.join()).toBe(flipped)
    count++
  }
  expect(Math.abs(count / 2000 - 0.3)).toBeLessThan(0.035) // 3.4 standard deviations
})

test('randomGrayscale: as often as asked, with three channels', () => {
  const transform = transforms.randomGrayscale(0.2)
  const grey = functional.toGrayscale(image, 3)
  let count = 0
  for (let seed = 0; seed < 2000; seed++) {
    const result = apply(transform, seed)
    if (result === image) continue
    expect(result).toEqual(grey)
    count++
  }
  expect(Math.abs(count / 2000 - 0.2)).toBeLessThan(0.031) // 3.4 standard deviations
})

describe('randomResizedCrop', () => {
  test('the crop, resized', () => {
    const transform = transforms.randomResizedCrop([12, 10])
    for (let seed = 0; seed < 20; seed++) {
      const part = drawRectangle(new Random(seed), image, { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] })
      if (!part) continue
      const { top, left, height, width } = part
      expect(apply(transform, seed)).toEqual(functional.resizedCrop(image, top, left, height, width, [12, 10]))
    }
  })

  test('when none fits: the largest part of an allowed shape from the middle', () => {
    const options = { scale: [1, 1], interpolation: 'nearest' } as const
    const wide = apply(transforms.randomResizedCrop([30, 30], { ...options, ratio: [0.5, 1] }), 0)
    expect([...wide.data.subarray(0, 3)]).toEqual([5, 0, 7])
    const tall = apply(transforms.randomResizedCrop([10, 40], { ...options, ratio: [4, 5] }), 0)
    expect([...tall.data.subarray(0, 3)]).toEqual([0, 10, 7])
    const whole = apply(transforms.randomResizedCrop([30, 40], { ...options, scale: [2, 2], ratio: [1, 2] }), 0)
    expect(whole.data).toEqual(image.data as Uint8Array)
  })
})

describe('randomAffine', () => {
  const all = { translate: [0.1, 0.2], scale: [0.7, 1.4], shear: [-3, 5, 2, 8] } as const

  test('draws from the ranges asked for', () => {
    const { random, ranges } = at(0.75)
    const result = transforms.randomAffine([-20, 40], { ...all, fill: 3 }).apply(image, random)
    expect(ranges).toEqual([
      [-20, 40],
      [-4, 4],
      [-6, 6],
      [0.7, 1.4],
      [-3, 5],
      [2, 8],
    ])
    const expected = {
      angle: 25,
      translate: [2, 3],
      scale: 0.7 + 0.75 * (1.4 - 0.7),
      shear: [3, 6.5],
      fill: 3,
    } as const
    expect(result).toEqual(functional.affine(image, expected))
  })

  test('one number of shear is along x; nothing asked for is a rotation alone', () => {
    const { random, ranges } = at(0.5)
    transforms.randomAffine(0, { shear: 9 }).apply(image, random)
    expect(ranges.slice(-2)).toEqual([
      [-9, 9],
      [0, 0],
    ])
    expect(apply(transforms.randomAffine(0), 5)).toEqual(image)
  })
})

test('gaussianBlur draws its sigma from the range', () => {
  const { random, ranges } = at(0.5)
  expect(transforms.gaussianBlur(5).apply(image, random)).toEqual(functional.gaussianBlur(image, 5, { sigma: 1.05 }))
  expect(ranges).toEqual([[0.1, 2]])
})

test('centerCrop and grayscale', () => {
  expect(transforms.centerCrop(20).args).toEqual([20])
  expect(transforms.centerCrop(20, { rounding: 'floor' }).args).toEqual([20, { rounding: 'floor' }])
  expect(apply(transforms.centerCrop(20), 0)).toEqual(functional.centerCrop(image, 20))
  expect(apply(transforms.grayscale(), 0)).toEqual(functional.toGrayscale(image, 1))
})

describe('randomErasing', () => {
  const tensor = functional.toTensor(positions(50, 40))
  const erased = (options: transforms.RandomErasingOptions, seed: number): ImageTensor =>
    transforms.randomErasing(options).apply(tensor, new Random(seed))

  test('as often as asked; a rectangle of the ranges, of one value', () => {
    let count = 0
    for (let seed = 0; seed < 1000; seed++) {
      const result = erased({ probability: 0.4, value: -5 }, seed)
      if (result === tensor) continue
      count++
      const { area, height, width, filled } = boundsOf(result, -5)
      expect(filled).toBe(width * height * 3)
      expect(area).toBeGreaterThan(0.02 * 0.85) // sides are rounded
      expect(area).toBeLessThan(0.33 * 1.1)
      expect(height / width).toBeGreaterThan(0.3 * 0.8)
      expect(height / width).toBeLessThan(3.3 * 1.25)
    }
    expect(Math.abs(count / 1000 - 0.4)).toBeLessThan(0.053) // 3.4 standard deviations
  })

  test('one value for each channel, or noise', () => {
    const colored = erased({ probability: 1, value: [2, 3, 4] }, 1)
    expect(new Set(colored.data.filter(value => value > 1))).toEqual(new Set([2, 3, 4]))
    const noise = erased({ probability: 1, value: 'random', scale: [0.5, 0.5] }, 2).data.filter(
      (value, i) => value !== tensor.data[i],
    )
    expect(noise.length).toBeGreaterThan(2500)
    expect(Math.abs(mean([...noise]))).toBeLessThan(0.08)
    expect(Math.abs(mean([...noise.map(value => value ** 2)]) - 1)).toBeLessThan(0.12)
  })

  test('an image too small for any rectangle stays', () => {
    const options = { probability: 1, scale: [1, 1] } as const
    expect(erased(options, 3)).toBe(tensor)
  })
})

/** The rectangle that holds all of a value. */
function boundsOf({ data, shape: [, rows, columns] }: ImageTensor, value: number) {
  let [top, left, bottom, right, filled] = [rows, columns, -1, -1, 0]
  for (let i = 0; i < data.length; i++) {
    if (data[i] !== value) continue
    filled++
    const [x, y] = [i % columns, Math.floor(i / columns) % rows]
    ;[top, left, bottom, right] = [Math.min(top, y), Math.min(left, x), Math.max(bottom, y), Math.max(right, x)]
  }
  const [width, height] = [right - left + 1, bottom - top + 1]
  return { width, height, filled, area: (width * height) / (rows * columns) }
}
