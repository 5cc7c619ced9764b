/** Models whose processor crops, and models of one channel: what the server computes is what the library computes. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ImageProcessorConfig, useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'
import sharp from 'sharp'
import { createEngine } from './create-engine.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const square = (length: number) => ({ height: length, width: length })

async function save(numChannels: number, processor: Partial<ImageProcessorConfig>): Promise<string> {
  await useBackend('cpu')
  const folder = mkdtempSync(join(tmpdir(), 'vitral-processors-'))
  folders.push(folder)
  const model = new ViTForImageClassification({
    ...{ hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, imageSize: 16, patchSize: 8 },
    ...{ numChannels, numLabels: 3, initializerRange: 0.5 },
  })
  await model.savePretrained(folder)
  model.dispose()
  await new ViTImageProcessor(processor).savePretrained(folder)
  return folder
}

/** A wide picture, brighter to the right, with noise in three channels. */
const picture = () =>
  sharp(
    Uint8Array.from({ length: 60 * 31 * 3 }, (_, i) => ((i * 7919) % 61) + ((i / 3) % 60) * 3),
    { raw: { width: 60, height: 31, channels: 3 } },
  )
    .png()
    .toBuffer()

test.each([
  ['a centre crop', 3, { size: { shortestEdge: 19 }, resample: 'lanczos', doCenterCrop: true, cropSize: square(16) }],
  ['one channel', 1, { size: square(16), imageMean: [0.3], imageStd: [0.2] }],
] as const)('%s', async (_, channels, config) => {
  const folder = await save(channels, config)
  const engine = await createEngine({ models: [{ name: 'tiny', folder, backend: 'cpu' }] })
  try {
    const image = await picture()
    const { outputs } = await engine.run({ model: 'tiny', task: 'classify', inputs: [{ image }] })
    const model = await ViTForImageClassification.fromPretrained(folder)
    const processor = await ViTImageProcessor.fromPretrained(folder)
    const { logits } = model.forward(await processor.preprocess(await decodeImage(image)))
    const expected = [...(await logits.data())]
    for (const [i, value] of expected.entries()) expect(outputs[0]?.logits?.[i]).toBeCloseTo(value, 5)
  } finally {
    await engine.close()
  }
})

test('attention is drawn over what the model saw, and the rest is dark', async () => {
  const folder = await save(3, { size: { shortestEdge: 16 }, doCenterCrop: true, cropSize: square(16) })
  const engine = await createEngine({ models: [{ name: 'tiny', folder, backend: 'cpu' }] })
  try {
    const white = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    const { outputs } = await engine.run({ model: 'tiny', task: 'explain', inputs: [{ image: white }], draw: true })
    const { data, info } = await sharp(outputs[0]?.drawn).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([64, 32])
    const at = (x: number, y: number) => data[(y * 64 + x) * info.channels] as number
    for (const x of [0, 8, 14, 49, 63]) expect(at(x, 16)).toBe(51)
    const seen = [18, 24, 40, 46].flatMap(x => [at(x, 4), at(x, 28)])
    expect(Math.max(...seen)).toBeGreaterThan(200)
  } finally {
    await engine.close()
  }
})

test('a processor that does not fit its model is refused', async () => {
  const refused = async (channels: number, config: Partial<ImageProcessorConfig>, message: string) => {
    const folder = await save(channels, config)
    const engine = await createEngine({ models: [{ name: 'tiny', folder, backend: 'cpu' }] }).catch((e: Error) => e)
    if (!(engine instanceof Error)) await engine.close()
    expect(String((engine as Error).message)).toContain(message)
  }
  const cropped = { size: square(16), doCenterCrop: true, cropSize: square(12) }
  await refused(3, cropped, 'makes images of 12×12, but the model of config.json takes 16×16')
  const unequal = { size: square(16), imageMean: [0.1, 0.2, 0.3] }
  await refused(1, unequal, 'image_mean is for 3 channels, but the model of config.json has num_channels 1')
})
