/** A file of half a megabyte that keeps a decoder busy for minutes, past its time limit: no other image may suffer. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import sharp from 'sharp'
import type { ManagedEngine } from '../../src/engine.ts'
import { createEngine } from '../../src/models/create-engine.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

let engine: ManagedEngine
beforeAll(async () => {
  const models = [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu' as const }]
  engine = await createEngine({ models, decodeTimeoutSeconds: 1, timeout: 60_000 })
}, 60_000)
afterAll(async () => {
  await engine.close()
  removeFolders()
})

const classify = (image: Uint8Array) => engine.run({ model: 'tiny', task: 'classify', inputs: [{ image }] })

test('JPEG files with tens of thousands of scans are rejected, and the decoder survives', async () => {
  const picture = sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#a63' } })
  const jpeg = await picture.jpeg({ progressive: true, quality: 10 }).toBuffer()
  const scan = Buffer.from(jpeg.subarray(jpeg.lastIndexOf(Buffer.of(0xff, 0xda)), -2))
  scan[9] = 0 // of all bits, which may come as often as it likes
  const scans = Array.from({ length: 15_000 }, () => scan)
  const bomb = Buffer.concat([jpeg.subarray(0, -2), ...scans, jpeg.subarray(-2)])
  const decoders = engine.processes()
  const refused = await Promise.allSettled(Array.from({ length: 8 }, () => classify(bomb)))
  for (const answer of refused) expect(answer).toMatchObject({ reason: { code: 'image_too_slow' } })
  expect((await classify(await picture.resize(20, 20).png().toBuffer())).outputs).toHaveLength(1)
  expect(engine.processes()).toEqual(decoders)
}, 60_000)
