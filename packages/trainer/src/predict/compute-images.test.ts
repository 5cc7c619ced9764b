import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory, type Tensor2D, type Tensor4D, tensor2d } from '@tensorflow/tfjs-core'
import { useBackend, ViTImageProcessor } from '@vitral/core'
import { encodePicture } from '@vitral/datasets/inspect'
import { type ComputeImagesOptions, computeImages } from './compute-images.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-compute-'))
const processor = new ViTImageProcessor({
  size: { height: 4, width: 4 },
  imageMean: [0, 0, 0],
  imageStd: [1, 1, 1],
})

/** A file of one grey, from 0 to 255. */
async function grey(name: string, value: number, size = 8): Promise<string> {
  const path = join(folder, name)
  const data = new Uint8Array(size * size * 3).fill(value)
  const { bytes } = await encodePicture({ data, width: size, height: size, channels: 3 })
  writeFileSync(path, bytes)
  return path
}

/** The first pixel of each image, as bytes. */
const firstPixels = (pixels: Tensor4D): Tensor2D => {
  const values = pixels.dataSync()
  const [count, size] = [pixels.shape[0], values.length / pixels.shape[0]]
  return tensor2d(Array.from({ length: count }, (_, i) => [Math.round((values[i * size] as number) * 255)]))
}

async function outputs(sources: (string | Uint8Array)[], options: Partial<ComputeImagesOptions> = {}) {
  const inputs = sources.map(source => ({ name: typeof source === 'string' ? source : '-', source }))
  const all = []
  for await (const { image, values, error } of computeImages(inputs, {
    ...{ forward: firstPixels, processor, batchSize: 3 },
    ...options,
  }))
    all.push(values ? { image, value: values[0] } : { image, error })
  return all
}

beforeAll(() => useBackend('cpu'))
afterAll(() => rmSync(folder, { recursive: true }))

test('computeImages gives each image its own output, in order, over several batches', async () => {
  const paths = await Promise.all([10, 20, 30, 40, 50, 60, 70].map((value, i) => grey(`${i}.png`, value)))
  const before = memory().numTensors
  expect(await outputs(paths)).toEqual(paths.map((image, i) => ({ image, value: 10 * (i + 1) })))
  expect(memory().numTensors).toBe(before)
})

test('computeImages makes a broken image an error of its own, also alone in its batch or in a whole batch', async () => {
  const empty = join(folder, 'empty.jpg')
  writeFileSync(empty, '')
  const good = await grey('good.png', 99)
  const error = `${empty} is empty; expected an image file.`
  const [broken, whole] = [
    { image: empty, error },
    { image: good, value: 99 },
  ]
  expect(await outputs([empty, good, empty, empty, empty, empty, good])).toEqual([
    ...[broken, whole, broken, broken, broken, broken, whole],
  ])
  expect(await outputs([empty])).toEqual([broken])
  expect(await outputs([good, empty], { batchSize: 1 })).toEqual([whole, broken])
})

test('computeImages names what it cannot read, and what the standard input lacks', async () => {
  const [missing, text] = await outputs([join(folder, 'no.png'), new TextEncoder().encode('no image')])
  expect(missing?.error).toStartWith(`${join(folder, 'no.png')} does not exist`)
  expect(text?.error).toStartWith('-: An image of 8 bytes cannot be decoded')
})

test('computeImages refuses more pixels than maxPixels, and takes them where it is raised', async () => {
  const path = await grey('large.png', 5, 20)
  const [refused] = await outputs([path], { maxPixels: 399 })
  expect(refused?.error).toContain('it has 20×20 pixels, more than maxPixels, 399; raise it')
  expect(await outputs([path], { maxPixels: 400 })).toEqual([{ image: path, value: 5 }])
})

test('computeImages makes an output that is no number that image’s error', async () => {
  const paths = [await grey('x.png', 1), await grey('y.png', 2)]
  const forward = () => tensor2d([[1], [Number.NaN]])
  const [fine, wrong] = await outputs(paths, { forward })
  expect(fine).toEqual({ image: paths[0] as string, value: 1 })
  expect(wrong?.error).toStartWith(`${paths[1]}: the model computes NaN; expected finite numbers.`)
})

test('computeImages refuses the size of an image that the processor does not resize', async () => {
  const as = new ViTImageProcessor({ ...processor.config, doResize: false })
  const [small, right] = [await grey('small.png', 7, 3), await grey('right.png', 8, 4)]
  const [refused, whole] = await outputs([small, right], { processor: as })
  expect(refused?.error).toBe(`${small} has 3×3 pixels; expected 4×4, since the model's processor does not resize.`)
  expect(whole).toEqual({ image: right, value: 8 })
})
