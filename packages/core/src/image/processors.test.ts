/**
 * The image processors of transformers: what Pillow 9.4 and NumPy make of an image by the steps of each class, whose
 * source they follow line by line (transformers 4.5x: image_processing_*.py, image_transforms.py, torchvision's crop).
 */
import { beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '../backend.ts'
import { fitImage, fittedRegion } from './fit-image.ts'
import { ViTImageProcessor } from './image-processor.ts'
import { geometryOf } from './processor-config.ts'

beforeAll(() => useBackend('cpu'))

interface ProcessorCase {
  name: string
  json: Record<string, unknown>
  /** Height and width of an image whose byte i is ((31·i² + 97·i) >> 3) mod 256. */
  image: [height: number, width: number]
  shape: number[]
  /** Base64 of what is normalised. */
  bytes: string
  first: number[]
  last: number[]
}

const cases: ProcessorCase[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/fixtures/processors.json'), 'utf8'),
)

const imageOf = ([height, width]: readonly [number, number]) => ({
  data: Uint8Array.from({ length: height * width * 3 }, (_, i) => ((i * i * 31 + i * 97) >> 3) % 256),
  height,
  width,
  channels: 3,
})

describe.each(cases)('$name', ({ json, image, shape, bytes, first, last }) => {
  test('makes the pixel values of transformers', async () => {
    const processor = ViTImageProcessor.fromJson(json)
    const fitted = fitImage(imageOf(image), geometryOf(processor.config))
    expect(Buffer.from(fitted.data).toString('base64')).toBe(bytes)
    const pixels = await processor.preprocess(imageOf(image))
    expect(pixels.shape).toEqual([1, ...shape] as never)
    const values = [...(await pixels.data())]
    pixels.dispose()
    for (const [i, value] of [...first, ...last].entries())
      expect(values[i < 3 ? i : values.length - 6 + i]).toBeCloseTo(value, 5)
  })

  test('is saved with every field, under a class that does the same', () => {
    const processor = ViTImageProcessor.fromJson(json)
    const { config } = processor
    const saved = processor.toJson()
    const again = ViTImageProcessor.fromJson(saved)
    const image = imageOf([9, 14])
    expect(fitImage(image, geometryOf(again.config))).toEqual(fitImage(image, geometryOf(config)))
    expect(again.config).toMatchObject({ imageMean: config.imageMean, imageStd: config.imageStd })
    expect(saved).toContainKeys([
      'do_resize',
      'do_rescale',
      'do_normalize',
      'size',
      'resample',
      'image_mean',
      'image_std',
    ])
  })
})

test('the class that is saved is the simplest that does the same in every version', () => {
  const typeOf = (config: ConstructorParameters<typeof ViTImageProcessor>[0]) =>
    new ViTImageProcessor(config).toJson().image_processor_type
  const exact = (length: number) => ({ height: length, width: length })
  const cropped = { doCenterCrop: true, cropSize: exact(8) }
  expect(typeOf({})).toBe('ViTImageProcessor')
  expect(typeOf({ size: exact(11), ...cropped })).toBe('DeiTImageProcessor')
  expect(typeOf({ size: exact(11), ...cropped, cropRounding: 'even' })).toBe('DeiTImageProcessorFast')
  expect(typeOf({ size: exact(10), ...cropped, cropRounding: 'even' })).toBe('DeiTImageProcessor')
  expect(typeOf({ size: { shortestEdge: 10 }, ...cropped })).toBe('CLIPImageProcessor')
  expect(typeOf({ size: { shortestEdge: 10 }, ...cropped, cropRounding: 'even' })).toBe('CLIPImageProcessorFast')
  const grey = new ViTImageProcessor({ size: { shortestEdge: 10 }, imageMean: [0.5], imageStd: [0.5] }).toJson()
  expect(grey).toMatchObject({ do_convert_rgb: false, do_center_crop: false, image_mean: [0.5] })
})

test('a file that names no class is of the class of its model, with its number of channels', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-processor-'))
  const write = (name: string, json: unknown) => writeFileSync(join(folder, name), JSON.stringify(json))
  const read = async () => (await ViTImageProcessor.fromPretrained(folder)).config
  write('preprocessor_config.json', { do_resize: true })
  expect(await read()).toMatchObject({ doCenterCrop: false, size: { height: 224, width: 224 }, resample: 'bilinear' })
  write('config.json', { model_type: 'deit' })
  expect(await read()).toMatchObject({ doCenterCrop: true, size: { height: 256, width: 256 }, resample: 'bicubic' })
  write('config.json', { model_type: 'vit', num_channels: 1 })
  expect(await read()).toMatchObject({ imageMean: [0.5], imageStd: [0.5] })
  write('preprocessor_config.json', { image_mean: [0.1, 0.2, 0.3] })
  await expect(read()).rejects.toThrow(
    'image_mean is for 3 channels, but the model of config.json has num_channels 1; expected 1 number.',
  )
  rmSync(join(folder, 'preprocessor_config.json'))
  write('processor_config.json', { image_processor: { image_processor_type: 'SiglipImageProcessor' } })
  expect(await read()).toMatchObject({ resample: 'bicubic', doCenterCrop: false })
  rmSync(folder, { recursive: true })
})

const refusals: [json: unknown, message: string][] = [
  [{ do_flip_channel_order: true }, ' describes no image processor'],
  [{ size: 224, do_flip_channel_order: true }, ': do_flip_channel_order is true; expected false'],
  [{ size: 224, rescale_offset: true }, ': rescale_offset is true'],
  [{ size: 224, offset: true }, ': offset is true'],
  [{ size: 224, do_grayscale: true }, ': do_grayscale is true'],
  [{ size: 224, do_pad: true }, ': do_pad is true'],
  [{ size: 224, do_thumbnail: true }, ': do_thumbnail is true'],
  [{ size: 224, include_top: true }, ': include_top is true'],
  [{ size: 224, crop_pct: 0.9 }, ': crop_pct is 0.9, which ViTImageProcessor does not have'],
  [{ size: 224, sharpen: 3 }, ': Vitral does not know sharpen'],
  [{ hidden_size: 768, model_type: 'vit' }, ' describes no image processor: it has none of size, image_mean'],
  [{}, ' describes no image processor'],
  [
    { image_processor_type: 'EfficientNetImageProcessor' },
    ': image_processor_type is "EfficientNetImageProcessor", whose',
  ],
  [{ image_processor_type: 'SamImageProcessor', size: 224 }, ': image_processor_type is "SamImage'],
  [{ feature_extractor_type: 'DonutFeatureExtractor', size: 224 }, ': image_processor_type is "DonutFeature'],
  [{ image_processor_type: 'constructor' }, ': image_processor_type is "constructor"'],
  [{ image_processor_type: 7 }, ': image_processor_type is 7; expected a name'],
  [{ size: { longest_edge: 224 } }, ': size is {"longest_edge":224}; expected a number of pixels to'],
  [{ size: { shortest_edge: 224, longest_edge: 300 } }, ': size is {"shortest_edge":224,"longest_edge":300}; expected'],
  // What JSON.parse makes of 1e400.
  [{ size: Infinity }, ': size is Infinity; expected'],
  [{ size: 2 ** 53 }, ': size is 9007199254740992; expected'],
  [{ size: 224.5 }, ': size is 224.5; expected'],
  [{ crop_size: [0, 8] }, ': crop_size is [0,8]; expected'],
  [
    { resample: 6 },
    ': resample is 6; expected 0 (nearest), 1 (lanczos), 2 (bilinear), 3 (bicubic), 4 (box), 5 (hamming)',
  ],
  [{ rescale_factor: Infinity }, ': rescale_factor is Infinity; expected a number'],
  [{ image_std: [0.5, 1e-300, 0.5] }, ': rescaleFactor 0.00392156862745098, imageMean 0.5 and imageStd 1e-300 make'],
  [{ image_std: [0.5, 0, 0.5] }, ': imageMean is [0.5,0.5,0.5] and imageStd [0.5,0,0.5]; expected one finite number'],
  [{ image_mean: [] }, ': image_mean is []; expected a finite number, or a list'],
  [{ image_mean: [0.5], do_convert_rgb: true, image_std: [0.5] }, ': do_convert_rgb is true, but image_mean is for 1'],
  [{ do_center_crop: true, crop_size: 192 }, ': do_center_crop is true, which the class passes over in transformers 4'],
  [{ image_processor_type: 'ConvNextImageProcessor' }, ': resample is missing, and versions of transformers differ'],
]
for (const [json, message] of refusals)
  test(`${String(JSON.stringify(json)).slice(0, 90)} is refused`, () => {
    expect(() => ViTImageProcessor.fromJson(json, 'x.json')).toThrow(`x.json${message}`)
  })

test('fields that change no pixel are passed over, and switches that are off', () => {
  const json = {
    ...{
      image_processor_type: 'ViTImageProcessorFast',
      size: { height: 224, width: 224 },
      data_format: 'channels_first',
    },
    ...{ device: null, crop_size: null, do_center_crop: null, default_to_square: true, return_tensors: 'pt' },
    ...{ do_pad: false, pad_size: { height: 9, width: 9 }, do_flip_channel_order: false, processor_class: 'X' },
    ...{ _valid_processor_keys: ['images'], do_reduce_labels: true, do_convert_rgb: true },
  }
  expect(ViTImageProcessor.fromJson(json).config).toMatchObject({ doResize: true, doCenterCrop: false })
  // A crop of the size that the image was resized to takes nothing away.
  expect(ViTImageProcessor.fromJson({ do_center_crop: true, crop_size: 224 }).config.doCenterCrop).toBe(true)
})

test('images of any number of channels are taken as they are when there is a mean for each', async () => {
  const four = new ViTImageProcessor({ doResize: false, imageMean: [0, 0, 0, 0.5], imageStd: [1, 1, 1, 0.5] })
  const image = { data: Uint8Array.of(0, 255, 51, 255), width: 1, height: 1, channels: 4 }
  const values = [...(await (await four.preprocess(image)).data())]
  expect(values.map(value => Math.round(value * 1e6) / 1e6)).toEqual([0, 1, 0.2, 1])
  await expect(four.preprocess({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 })).rejects.toThrow(
    'An image has 3 channels, but the processor has mean and deviation of 4',
  )
})

test("one channel is PIL's convert('L')", async () => {
  const grey = new ViTImageProcessor({
    ...{ doResize: false, doNormalize: false, doRescale: false },
    ...{ imageMean: [0], imageStd: [1] },
  })
  const values = async (data: number[], channels: number) => [
    ...(await (await grey.preprocess({ data: Uint8Array.from(data), width: 1, height: 1, channels })).data()),
  ]
  expect(await values([200, 30, 90], 3)).toEqual([88])
  expect(await values([200, 30, 90, 0], 4)).toEqual([88])
  expect(await values([77, 77, 77], 3)).toEqual([77])
  expect(await values([77, 3], 2)).toEqual([77])
  expect(await values([77], 1)).toEqual([77])
})

test('data that are no bytes are refused, with how to make them bytes', async () => {
  const resized = new ViTImageProcessor({ size: { height: 2, width: 2 } })
  const asItIs = new ViTImageProcessor({ doResize: false })
  for (const processor of [resized, asItIs]) {
    const refused = (data: unknown, message: string) =>
      expect(processor.preprocess({ data: data as Uint8Array, width: 2, height: 2, channels: 3 })).rejects.toThrow(
        `An image's data are ${message}`,
      )
    await refused(
      new Float32Array(12),
      'a Float32Array; expected a Uint8Array, bytes from 0 to 255: multiply values from 0 to 1 by 255',
    )
    await refused(
      new Uint16Array(12),
      'a Uint16Array; expected a Uint8Array, bytes from 0 to 255: divide values of 16 bits by 257',
    )
    await refused(new Int8Array(12), 'an Int8Array; expected a Uint8Array')
    await refused(Array(12).fill(0), 'an Array; expected a Uint8Array')
    await refused(undefined, 'an Undefined; expected')
  }
  expect((await asItIs.preprocess({ data: Buffer.alloc(12), width: 2, height: 2, channels: 3 })).shape[2]).toBe(2)
})

test('a picture so narrow that its longer side would take all memory is refused', async () => {
  const processor = new ViTImageProcessor({ size: { shortestEdge: 256 } })
  const line = { data: new Uint8Array(3 * 65535), width: 65535, height: 1, channels: 3 }
  await expect(processor.preprocess(line)).rejects.toThrow('would have 4294901760 pixels; expected at most 67108864')
})

test('the part of an image that is seen', () => {
  const crop = { size: [6, 6] as const, rounding: 'floor' as const }
  expect(fittedRegion({ height: 9, width: 18 }, {})).toEqual({ top: 0, left: 0, height: 1, width: 1 })
  expect(fittedRegion({ height: 9, width: 18 }, { resize: { size: 8, interpolation: 'box' }, crop })).toEqual({
    ...{ top: 1 / 8, left: 5 / 16, height: 6 / 8, width: 6 / 16 },
  })
})
