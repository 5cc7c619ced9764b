import { describe, expect, test } from 'bun:test'
import { useBackend, ViTImageProcessor } from '@vitral/core'
import { createLoader, transforms } from '@vitral/datasets'
import { largerBy, processorOf, transformsOf } from './processor.ts'

/** Eight images of noise, 32×32. */
const images = Array.from({ length: 8 }, (_, image) => ({
  data: Uint8Array.from({ length: 3072 }, (_, i) => (i * (image + 3) * 7919) % 256),
  width: 32,
  height: 32,
  channels: 3,
}))
const dataset = {
  length: 8,
  classes: ['a'],
  get: (i: number) => ({ image: images[i] as (typeof images)[0], label: 0 }),
}

async function byChain(chain: ReturnType<typeof transformsOf>): Promise<Float32Array> {
  for await (const { pixelValues } of createLoader(dataset, { transforms: chain, batchSize: 8 }).batches())
    return pixelValues.data
  throw new Error('no batch')
}

async function byProcessor(processor: ViTImageProcessor): Promise<Float32Array> {
  const pixelValues = await processor.preprocess(images)
  const data = (await pixelValues.data()) as Float32Array
  pixelValues.dispose()
  return data
}

function expectSame(a: Float32Array, b: Float32Array): void {
  expect(a.length).toBe(b.length)
  const largest = a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0)
  expect(largest).toBeLessThan(2e-6) // float32, rounded in another order
}

const cropOf = (length: number) => ({ doCenterCrop: true, cropSize: { height: length, width: length } })

describe('a chain and its processor prepare the same pixel values', () => {
  test.each(Object.keys(transforms.chains))('%s', async name => {
    await useBackend('cpu')
    const chain = transforms.chains[name]?.({ train: false }) ?? []
    const processor = processorOf(chain, name.startsWith('cifar-32') ? 32 : 224)
    const expected = await byChain(chain)
    expectSame(await byProcessor(processor), expected)
    expectSame(await byChain(transformsOf(processor)), expected)
  })

  test.each([
    [
      {
        size: { height: 32, width: 32 },
        resample: 'bicubic' as const,
        imageMean: [0.4, 0.5, 0.6],
        imageStd: [0.2, 0.3, 0.1],
      },
    ],
    [{ size: { height: 20, width: 48 } }],
    [{ doResize: false, doNormalize: false }],
    [{ size: { height: 11, width: 11 }, ...cropOf(8), resample: 'lanczos' as const }],
    [{ size: { height: 11, width: 11 }, ...cropOf(8), cropRounding: 'even' as const, resample: 'hamming' as const }],
    [{ size: { shortestEdge: 20 }, ...cropOf(24), resample: 'box' as const }],
    [{ doResize: false, ...cropOf(9) }],
    [{ size: { height: 20, width: 48 }, imageMean: [0.4], imageStd: [0.3] }],
    [{ doResize: false, rescaleFactor: 1 / 127.5, imageMean: [1, 1, 1], imageStd: [1, 1, 1] }],
  ])('processor %j', async config => {
    await useBackend('cpu')
    const processor = new ViTImageProcessor(config)
    expectSame(await byChain(transformsOf(processor)), await byProcessor(processor))
  })
})

test("torchvision's usual evaluation is a processor, as is that of grey images", () => {
  const { resize, centerCrop, grayscale, toTensor, normalize } = transforms
  const usual = processorOf(
    [resize(256), centerCrop(224), toTensor(), normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.1])],
    224,
  )
  expect(usual.toJson()).toMatchObject({
    ...{ image_processor_type: 'CLIPImageProcessorFast', size: { shortest_edge: 256 }, do_center_crop: true },
    ...{ crop_size: { height: 224, width: 224 }, resample: 2, image_mean: [0.4, 0.5, 0.6] },
  })
  const cropped = processorOf([centerCrop([8, 9]), toTensor()], [8, 9])
  expect(cropped.config).toMatchObject({ doResize: false, doCenterCrop: true, cropSize: { height: 8, width: 9 } })
  const grey = processorOf([grayscale(), resize([8, 8]), toTensor(), normalize([0.1], [0.3])], 8, 1)
  expect(grey.config).toMatchObject({ imageMean: [0.1], imageStd: [0.3] })
  expect(transformsOf(grey).map(({ name }) => name)).toEqual(['grayscale', 'resize', 'toTensor', 'normalize'])
})

test('images are made larger for crops of them, by the crop too', () => {
  const square = (length: number) => ({ height: length, width: length })
  const larger = (config: ConstructorParameters<typeof ViTImageProcessor>[0]) =>
    largerBy(new ViTImageProcessor(config), 2).config
  expect(larger({ size: square(8) })).toMatchObject({ size: square(16), doResize: true })
  expect(larger({ size: { shortestEdge: 10 }, doCenterCrop: true, cropSize: square(8) })).toMatchObject({
    ...{ size: { shortestEdge: 20 }, cropSize: square(16) },
  })
  expect(larger({ doResize: false, doCenterCrop: true, cropSize: square(8) })).toMatchObject({
    ...{ doResize: false, cropSize: square(16) },
  })
})

test('a chain that a ViTImageProcessor cannot do, or the model cannot take, is refused', () => {
  expect(() => processorOf([transforms.randomHorizontalFlip()], 32)).toThrow('cannot do randomHorizontalFlip')
  expect(() => processorOf([transforms.resize(40)], 40)).toThrow("resize(40) keeps the image's shape")
  expect(() => processorOf([transforms.resize([40, 40])], 32)).toThrow(
    "40×40 pixels, but the model's imageSize is 32×32",
  )
  const { resize, centerCrop, grayscale, toTensor, normalize } = transforms
  expect(() => processorOf([centerCrop(8), resize([8, 8])], 8)).toThrow('each once and in this order')
  expect(() => processorOf([resize([9, 9]), resize([8, 8])], 8)).toThrow('the chain has resize after resize')
  expect(() => processorOf([resize([8, 8]), grayscale(), toTensor()], 8, 1)).toThrow('has grayscale after resize')
  expect(() => processorOf([resize(8, { maxSize: 9 }), centerCrop(8)], 8)).toThrow('resize has maxSize 9')
  expect(() => processorOf([grayscale(3), toTensor()], 8)).toThrow('grayscale(3) makes equal channels')
  expect(() => processorOf([toTensor(), normalize([0, 0, 0], [1, 1, 1])], 8, 1)).toThrow(
    "images of 3 channels, but the model's numChannels is 1; begin them with grayscale()",
  )
})
