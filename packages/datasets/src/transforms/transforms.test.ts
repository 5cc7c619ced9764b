/** Transforms made by factories: again from their specs, the same by seed, and drawn as torchvision draws. */
import { describe, expect, test } from 'bun:test'
import * as functional from '../functional/index.ts'
import { Random } from '../random/random.ts'
import type { ImageTensor, RawImage, Sample, Transform } from '../types.ts'
import * as transforms from './index.ts'

/** Every byte differs from its neighbours, so that any move shows. */
function numbered(width: number, height: number): RawImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 5)) & 255)
  return { data, width, height, channels: 3 }
}

const image = numbered(32, 32)
const apply = (transform: Transform, seed: number, sample: Sample = image): Sample =>
  transform.apply(sample, new Random(seed))

const all: Record<string, Transform> = {
  augMix: transforms.augMix({ severity: 5, mixtureWidth: 2, alpha: 0.5, fill: 30 }),
  autoAugment: transforms.autoAugment({ policy: 'cifar10' }),
  centerCrop: transforms.centerCrop([20, 36]),
  colorJitter: transforms.colorJitter({ brightness: 0.2, contrast: [0.5, 0.9], saturation: 0.4, hue: [-0.1, 0.3] }),
  compose: transforms.compose([transforms.randomHorizontalFlip(), transforms.resize(8), transforms.toTensor()]),
  gaussianBlur: transforms.gaussianBlur([5, 3], { sigma: [0.3, 2] }),
  grayscale: transforms.grayscale(3),
  normalize: transforms.normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]),
  randAugment: transforms.randAugment({ numOps: 3, magnitude: 12 }),
  randomAffine: transforms.randomAffine(20, { translate: [0.1, 0.2], scale: [0.8, 1.2], shear: [-5, 5, 0, 9] }),
  randomCrop: transforms.randomCrop([30, 28], { padding: [1, 2, 3, 4], fill: [9, 8, 7] }),
  randomErasing: transforms.randomErasing({ probability: 0.8, value: 'random' }),
  randomGrayscale: transforms.randomGrayscale(0.5),
  randomHorizontalFlip: transforms.randomHorizontalFlip(0.4),
  randomResizedCrop: transforms.randomResizedCrop([20, 18], { scale: [0.2, 0.9], interpolation: 'bicubic' }),
  randomRotation: transforms.randomRotation([-20, 40], { interpolation: 'bilinear' }),
  randomVerticalFlip: transforms.randomVerticalFlip(0.4),
  resize: transforms.resize(20, { interpolation: 'bicubic', maxSize: 28 }),
  toTensor: transforms.toTensor(),
  trivialAugmentWide: transforms.trivialAugmentWide({ interpolation: 'bilinear', fill: [1, 2, 3] }),
}

/** Those that come after toTensor. */
const onTensors = ['normalize', 'randomErasing']
const sampleFor = (name: string): Sample => (onTensors.includes(name) ? functional.toTensor(image) : image)

describe('made again from JSON', () => {
  for (const [name, transform] of Object.entries(all))
    test(name, () => {
      const { args } = transform
      const again = transforms.createTransform(JSON.parse(JSON.stringify({ name, args })))
      const sample = sampleFor(name)
      for (let seed = 0; seed < 16; seed++) expect(apply(again, seed, sample)).toEqual(apply(transform, seed, sample))
    })

  test('an unknown name lists the known', () => {
    expect(() => transforms.createTransform({ name: 'toString', args: [] })).toThrow(
      `There is no transform 'toString'; expected one of ${Object.keys(all).join(', ')}.`,
    )
  })
})

test('no transform writes into the sample it gets', () => {
  for (const [name, transform] of Object.entries(all)) {
    const sample = sampleFor(name)
    const before = sample.data.slice()
    for (let seed = 0; seed < 32; seed++) apply(transform, seed, sample)
    expect({ name, data: sample.data }).toEqual({ name, data: before })
  }
})

test('grey images pass through all of them', () => {
  const grey = functional.toGrayscale(image)
  for (const [name, transform] of Object.entries(all)) {
    if (name === 'normalize' || name === 'randomCrop' || name === 'trivialAugmentWide') continue // of three channels, above
    const sample = onTensors.includes(name) ? functional.toTensor(grey) : grey
    for (let seed = 0; seed < 16; seed++) {
      const result = apply(transform, seed, sample)
      const channels = 'channels' in result ? result.channels : result.shape[0]
      expect({ name, channels }).toEqual({ name, channels: name === 'grayscale' ? 3 : 1 })
    }
  }
})

test('a transform in the wrong place says where it belongs', () => {
  expect(() => apply(transforms.compose([transforms.normalize([0], [1]), transforms.toTensor()]), 0)).toThrow(
    'normalize works on a tensor; put toTensor before it.',
  )
  expect(() => apply(transforms.compose([transforms.toTensor(), transforms.resize(8)]), 0)).toThrow(
    'resize works on an image; put it before toTensor.',
  )
})

describe('drawn', () => {
  const draws = 4000

  test('randomCrop: every corner, equally often; the crop of the padded image', () => {
    const crop = transforms.randomCrop(32, { padding: 4 })
    const padded = functional.pad(image, 4)
    const corners = new Map<string, number>()
    for (let top = 0; top <= 8; top++)
      for (let left = 0; left <= 8; left++) corners.set(functional.crop(padded, top, left, 32, 32).data.join(), 0)
    for (let seed = 0; seed < draws; seed++) {
      const key = (apply(crop, seed) as RawImage).data.join()
      corners.set(key, (corners.get(key) ?? -draws) + 1)
    }
    expect(chiSquare([...corners.values()], draws / 81)).toBeLessThan(130) // 80 degrees of freedom, p < 0.001
  })

  test('randomHorizontalFlip: as often as asked', () => {
    const flip = transforms.randomHorizontalFlip(0.3)
    const flipped = functional.hflip(image)
    let count = 0
    for (let seed = 0; seed < draws; seed++) {
      const result = apply(flip, seed) as RawImage
      expect(result === image || result.data.join() === flipped.data.join()).toBe(true)
      if (result !== image) count++
    }
    expect(Math.abs(count / draws - 0.3)).toBeLessThan(0.025) // 3.4 standard deviations
  })

  test('randomRotation: angles over the whole range', () => {
    const seen: number[] = []
    const random = new Random(0)
    random.uniform = (low, high) => {
      expect([low, high]).toEqual([-15, 15])
      seen.push(5)
      return 5
    }
    expect(transforms.randomRotation(15).apply(image, random)).toEqual(functional.rotate(image, 5))
    expect(seen).toEqual([5])
  })

  test('colorJitter: four factors in their ranges, in every order', () => {
    const { brightness, contrast, saturation, hue } = { brightness: 1.5, contrast: 0.2, saturation: 0.3, hue: 0.1 }
    const jitter = transforms.colorJitter({ brightness, contrast, saturation, hue })
    const ranges: number[][] = []
    const random = new Random(3)
    random.permutation = () => Int32Array.of(2, 0, 3, 1)
    random.uniform = (low, high) => {
      ranges.push([low, high])
      return (low + high) / 2 + 0.01
    }
    const expected = [
      (i: RawImage) => functional.adjustSaturation(i, 1.01),
      (i: RawImage) => functional.adjustBrightness(i, 1.26),
      (i: RawImage) => functional.adjustHue(i, 0.01),
      (i: RawImage) => functional.adjustContrast(i, 1.01),
    ].reduce((result, step) => step(result), image)
    expect(jitter.apply(image, random)).toEqual(expected)
    expect(ranges).toEqual([
      [0.7, 1.3],
      [0, 2.5],
      [-0.1, 0.1],
      [0.8, 1.2],
    ])
  })
})

describe('a stream of chance', () => {
  test('a stream of chance is uniform, and the same by seed', () => {
    const counts = Array<number>(10).fill(0)
    const random = new Random(17)
    const again = new Random(17)
    for (let i = 0; i < 10_000; i++) {
      const bin = random.below(10)
      expect(again.below(10)).toBe(bin)
      counts[bin] = (counts[bin] as number) + 1
    }
    expect(chiSquare(counts, 1000)).toBeLessThan(27.9) // 9 degrees of freedom, p < 0.001
  })

  test('a stream of chance gives every order equally often', () => {
    const counts = new Map<string, number>()
    for (let seed = 0; seed < 6000; seed++) {
      const key = new Random(seed).permutation(3).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    expect(chiSquare([...counts.values()], 1000)).toBeLessThan(20.5) // 5 degrees of freedom, p < 0.001
  })

  test('each transform of a chain has its own stream of chance, so that one more draw does not move the others', () => {
    const greedy: Transform = {
      name: 'greedy',
      args: [],
      apply(sample, random) {
        random.below(9)
        return sample
      },
    }
    const idle: Transform = { name: 'idle', args: [], apply: sample => sample }
    const crop = transforms.randomCrop(20)
    for (let seed = 0; seed < 8; seed++)
      expect(apply(transforms.compose([greedy, crop]), seed)).toEqual(apply(transforms.compose([idle, crop]), seed))
  })
})

describe('chains', () => {
  const side: Record<string, number> = {
    'article-fine-tune': 224,
    'article-from-scratch': 224,
    'cifar-32': 32,
    'cifar-32-flip': 32,
  }
  for (const [name, chain] of Object.entries(transforms.chains))
    for (const train of [true, false])
      test(`${name}, ${train ? 'training' : 'evaluation'}`, () => {
        const transform = transforms.compose(chain({ train }))
        const results = [0, 1, 2, 3, 4, 5].map(seed => apply(transform, seed) as ImageTensor)
        for (const { shape } of results) expect(shape).toEqual([3, side[name] as number, side[name] as number])
        const different = new Set(results.map(({ data }) => data.join())).size
        if (train) expect(different).toBeGreaterThan(1)
        else expect(different).toBe(1)
      })

  test.each([true, false])("the article's resize to another size when it is asked for, training %p", train => {
    for (const chain of [transforms.articleFineTune, transforms.articleFromScratch]) {
      const { shape } = apply(transforms.compose(chain({ train, size: [48, 64] })), 0) as ImageTensor
      expect(shape).toEqual([3, 48, 64])
    }
  })

  test('fine-tuning: bytes become −1 to 1', () => {
    const white = { ...image, data: new Uint8Array(image.data.length).fill(255) }
    const { data } = apply(transforms.compose(transforms.articleFineTune({ train: false })), 0, white) as ImageTensor
    expect(data.every(value => value === 1)).toBe(true)
  })
})

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}
