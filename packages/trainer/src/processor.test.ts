import { describe, expect, test } from 'bun:test'
import { useBackend, ViTImageProcessor } from '@vitral/core'
import { createLoader, transforms } from '@vitral/datasets'
import { processorOf, transformsOf } from './processor.ts'

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
    [{ doResize: false, rescaleFactor: 1 / 127.5, imageMean: [1, 1, 1], imageStd: [1, 1, 1] }],
  ])('processor %j', async config => {
    await useBackend('cpu')
    const processor = new ViTImageProcessor(config)
    expectSame(await byChain(transformsOf(processor)), await byProcessor(processor))
  })
})

test('a chain that a ViTImageProcessor cannot do, or the model cannot take, is refused', () => {
  expect(() => processorOf([transforms.randomHorizontalFlip()], 32)).toThrow('cannot do randomHorizontalFlip')
  expect(() => processorOf([transforms.resize(40)], 40)).toThrow("resize(40) keeps the image's shape")
  expect(() => processorOf([transforms.resize([40, 40])], 32)).toThrow(
    "40×40 pixels, but the model's imageSize is 32×32",
  )
})
