import { beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '../backend.ts'
import { readSafetensors } from '../files/safetensors/safetensors-file.ts'
import { ViTImageProcessor } from './image-processor.ts'

beforeAll(() => useBackend('cpu'))

test("preprocessing is PyTorch's: resize, rescale, normalise", async () => {
  const path = join(import.meta.dirname, '../../test/fixtures/transforms/transforms.safetensors')
  const { tensors } = await readSafetensors(path)
  const input = tensors.get('input.2')
  const [height = 0, width = 0] = input?.shape ?? []
  const pixels = await new ViTImageProcessor().preprocess({
    data: input?.data as Uint8Array,
    width,
    height,
    channels: 3,
  })
  expect(pixels.shape).toEqual([1, 3, 224, 224])
  const values = await pixels.data()
  const expected = tensors.get('vit_preprocess.2')?.data as Float32Array
  // The bytes are equal; (byte/255 - .5)/.5 is rounded in another order, half a unit in the last place of 1.
  expected.forEach((value, i) => {
    if (Math.abs(value - (values[i] as number)) > 1.2e-7)
      throw new Error(`element ${i}: ${values[i]}, expected ${value}`)
  })
})

test("the file of vit-base, written by an old transformers, gets the class's defaults", () => {
  const { config } = ViTImageProcessor.fromJson({
    do_normalize: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    size: 224,
  })
  expect(config).toEqual(new ViTImageProcessor().config)
})

test('null is as good as absent, and one mean serves all channels', () => {
  const { config } = ViTImageProcessor.fromJson({ resample: null, do_rescale: null, image_mean: 0.25 })
  expect(config).toEqual({ ...new ViTImageProcessor().config, imageMean: [0.25, 0.25, 0.25] })
})

test('a folder without a processor says how to write one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-processor-'))
  await expect(ViTImageProcessor.fromPretrained(folder)).rejects.toThrow('has no preprocessor_config.json; write one')
  rmSync(folder, { recursive: true })
})

test('a saved processor is read back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-processor-'))
  const processor = new ViTImageProcessor({
    size: { height: 24, width: 40 },
    resample: 'bicubic',
    imageMean: [0.1, 0.2, 0.3],
  })
  await processor.savePretrained(folder)
  expect((await ViTImageProcessor.fromPretrained(folder)).config).toEqual(processor.config)
  rmSync(folder, { recursive: true })
})

test('grey images become RGB and alpha is dropped', async () => {
  const processor = new ViTImageProcessor({ doResize: false, doNormalize: false, doRescale: false })
  const values = async (data: number[], channels: number) => [
    ...(await (await processor.preprocess({ data: Uint8Array.from(data), width: 1, height: 1, channels })).data()),
  ]
  expect(await values([7], 1)).toEqual([7, 7, 7])
  expect(await values([7, 255], 2)).toEqual([7, 7, 7])
  expect(await values([1, 2, 3, 9], 4)).toEqual([1, 2, 3])
})

test('what cannot be preprocessed is refused', async () => {
  const pixel = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1, channels: 3 }
  const two = { data: new Uint8Array(6), width: 2, height: 1, channels: 3 }
  const processor = new ViTImageProcessor({ doResize: false })
  await expect(processor.preprocess([])).rejects.toThrow('no image')
  await expect(processor.preprocess([pixel, two])).rejects.toThrow('different sizes')
  expect(() => ViTImageProcessor.fromJson({ resample: 7 }, 'x.json')).toThrow(
    'x.json: resample is 7; expected 0 (nearest)',
  )
  const refused = (json: unknown, message: string) =>
    expect(() => ViTImageProcessor.fromJson(json, 'x.json')).toThrow(`x.json${message}`)
  refused({ size: { longest_edge: 224 } }, ': size is {"longest_edge":224}; expected a number of pixels')
  refused({ size: 0 }, ': size is 0; expected')
  refused({ do_resize: 'no' }, ': do_resize is "no"; expected true or false')
  refused({ rescale_factor: '1/255' }, ': rescale_factor is "1/255"; expected a number')
  refused({ image_mean: ['0.5'] }, ': image_mean is ["0.5"]; expected a finite number, or a list')
  refused({ do_center_crop: true, crop_size: 192 }, ': do_center_crop is true, which the class passes over')
  refused([], ' holds no JSON object')
  expect(() => new ViTImageProcessor({ imageStd: [1, 0, 1] })).toThrow('no deviation of 0')
})
