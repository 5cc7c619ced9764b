import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ViTImageProcessor } from './image-processor.ts'

async function processorOf(trained: object): Promise<ViTImageProcessor> {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-timm-'))
  try {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ architecture: 'vit_x', pretrained_cfg: trained }))
    expect(await ViTImageProcessor.isIn(folder)).toBe(true)
    return await ViTImageProcessor.fromPretrained(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test("a folder of timm's has its processor in config.json, with timm's defaults", async () => {
  const { config } = await processorOf({
    ...{ input_size: [3, 224, 224], interpolation: 'bicubic', crop_pct: 0.9, crop_mode: 'center', num_classes: 5 },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  })
  expect(config).toMatchObject({
    ...{ size: { shortestEdge: 248 }, cropSize: { height: 224, width: 224 }, doCenterCrop: true, cropRounding: 'even' },
    ...{ resample: 'bicubic', imageMean: [0.5, 0.5, 0.5] },
  })
  expect((await processorOf({})).config).toMatchObject({
    ...{ size: { shortestEdge: 256 }, resample: 'bicubic', imageMean: [0.485, 0.456, 0.406] },
  })
  expect((await processorOf({ input_size: [3, 64, 96], crop_pct: 1, crop_mode: 'squash' })).config).toMatchObject({
    ...{ size: { height: 64, width: 96 }, cropSize: { height: 64, width: 96 } },
  })
})

test('what timm does and Vitral does not is refused', async () => {
  await expect(processorOf({ crop_mode: 'border' })).rejects.toThrow(
    'crop_mode is "border"; expected "center", "squash"',
  )
  await expect(processorOf({ interpolation: 'random' })).rejects.toThrow('interpolation is "random"')
  await expect(processorOf({ input_size: [3, 64, 96] })).rejects.toThrow(
    'input_size is [3,64,96] with crop_mode "center"',
  )
})
