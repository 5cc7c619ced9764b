/** What a transform is made with is checked when it is made, and named. */
import { expect, test } from 'bun:test'
import { Random } from '../random/random.ts'
import * as transforms from './index.ts'

test('arguments out of range, and what they were given as', () => {
  expect(() => transforms.randomHorizontalFlip(1.5)).toThrow('probability is 1.5; expected a number from 0 to 1.')
  expect(() => transforms.colorJitter({ hue: 0.6 })).toThrow('hue is 0.6; expected a number from 0 to 0.5.')
  expect(() => transforms.colorJitter({ contrast: -1 })).toThrow('contrast is -1; expected a number at least 0.')
  expect(() => transforms.colorJitter({ contrast: [0.5, 0.4] })).toThrow('contrast is [0.5,0.4]; expected [low, high]')
  expect(() => transforms.colorJitter({ hue: [-0.6, 0] })).toThrow(
    'hue is [-0.6,0]; expected [low, high], numbers from',
  )
  expect(() => transforms.randomRotation(5, { center: [1] as never })).toThrow(
    'randomRotation: center is [1]; expected',
  )
  expect(() => transforms.randomRotation(-5)).toThrow('degrees is -5')
  expect(() => transforms.randomCrop(0)).toThrow('randomCrop: size is 0; expected a whole number of pixels, at least 1')
  expect(() => transforms.randomCrop(8, { padding: [1, 2, 3] as never })).toThrow('randomCrop: padding is [1,2,3]')
  expect(() => transforms.randomCrop(8, { fill: 256 })).toThrow('randomCrop: fill is 256; expected a byte')
  expect(() => transforms.resize(-3)).toThrow('resize: size is -3; expected')
  expect(() => transforms.centerCrop([8] as never)).toThrow('centerCrop: size is [8]; expected')
  const cubic = { interpolation: 'cubic' as never }
  expect(() => transforms.resize(8, cubic)).toThrow("resize: interpolation is 'cubic'; expected 'nearest'")
  expect(() => transforms.randomResizedCrop(8, cubic)).toThrow("randomResizedCrop: interpolation is 'cubic'")
  const image = { data: new Uint8Array(32 * 32 * 3), width: 32, height: 32, channels: 3 }
  expect(() => transforms.randomCrop(33).apply(image, new Random(0))).toThrow(
    'the image is 32×32 with its padding; expected at least 33×33',
  )
})

test('arguments out of range are named when the transform is made', () => {
  const named: [make: () => unknown, message: string][] = [
    [() => transforms.randomCrop(8, { paddingMode: 'mirror' as 'edge' }), "randomCrop: paddingMode is 'mirror'"],
    [
      () => transforms.randomVerticalFlip(-0.1),
      'randomVerticalFlip: probability is -0.1; expected a number from 0 to 1',
    ],
    [() => transforms.centerCrop(0), 'centerCrop: size is 0'],
    [() => transforms.randomResizedCrop([4, 0]), 'randomResizedCrop: size is [4,0]'],
    [
      () => transforms.randomResizedCrop(4, { scale: [0.5, 0.1] }),
      'randomResizedCrop: scale is [0.5,0.1]; expected [low',
    ],
    [() => transforms.randomResizedCrop(4, { ratio: [0, 1] }), 'randomResizedCrop: ratio is [0,1]'],
    [() => transforms.randomAffine(-3), 'randomAffine: degrees is -3'],
    [() => transforms.randomAffine(3, { translate: [0, 2] }), 'randomAffine: translate is 2'],
    [
      () => transforms.randomAffine(3, { scale: [0, 1] }),
      'randomAffine: scale is [0,1]; expected [low, high], numbers above 0',
    ],
    [() => transforms.randomAffine(3, { shear: [1, 0] }), 'randomAffine: shear is [1,0]'],
    [
      () => transforms.randomAffine(3, { interpolation: 'cubic' as 'nearest' }),
      "randomAffine: interpolation is 'cubic'",
    ],
    [
      () => transforms.randomRotation(3, { interpolation: 'cubic' as 'nearest' }),
      "randomRotation: interpolation is 'cubic'",
    ],
    [() => transforms.grayscale(2 as 1), 'grayscale: numOutputChannels is 2; expected 1 or 3'],
    [() => transforms.randomGrayscale(2), 'randomGrayscale: probability is 2'],
    [() => transforms.gaussianBlur(4), 'gaussianBlur: kernelSize is 4; expected odd numbers of at least 1'],
    [() => transforms.gaussianBlur(5, { sigma: [0, 1] }), 'gaussianBlur: sigma is [0,1]'],
    [() => transforms.randomErasing({ scale: [0, 1.5] }), 'randomErasing: scale is [0,1.5]'],
    [() => transforms.randomErasing({ value: 'noise' as 'random' }), 'randomErasing: value is "noise"'],
    [
      () => transforms.autoAugment({ policy: 'svhn' as 'cifar10' }),
      "autoAugment: policy is 'svhn'; expected 'imagenet' or",
    ],
    [
      () => transforms.randAugment({ magnitude: 31 }),
      'randAugment: magnitude is 31; expected a whole number from 0 to 30',
    ],
    [() => transforms.randAugment({ numOps: 0 }), 'randAugment: numOps is 0'],
    [() => transforms.trivialAugmentWide({ numMagnitudeBins: 1 }), 'trivialAugmentWide: numMagnitudeBins is 1'],
    [() => transforms.augMix({ severity: 11 }), 'augMix: severity is 11'],
    [() => transforms.augMix({ alpha: 0 }), 'augMix: alpha is 0; expected a number above 0'],
  ]
  for (const [make, message] of named) expect(make).toThrow(message)
})
