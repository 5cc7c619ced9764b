/** Memory and order of reading weights: one tensor at a time, whatever the file's size, checked as it comes. */
import { afterAll, beforeAll, expect, spyOn, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { disk } from '#platform'
import { useBackend } from '../../backend.ts'
import type { OpenFile } from '../../files/disk/disk.ts'
import { type WeightDtype, weightDtypes } from '../../files/safetensors/dtypes.ts'
import { readSafetensors, writeSafetensors } from '../../files/safetensors/safetensors-file.ts'
import { ViTForImageClassification } from '../classifier.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-read-'))
beforeAll(() => useBackend('cpu'))
afterAll(() => rmSync(folder, { recursive: true }))

const config = {
  imageSize: 32,
  patchSize: 8,
  hiddenSize: 96,
  intermediateSize: 2048,
  numHiddenLayers: 4,
  numAttentionHeads: 3,
  numLabels: 3,
}
const largest = 4 * config.hiddenSize * config.intermediateSize

/** Loads, and tells the sizes of all buffers that files were read into; none of them counts as freed. */
async function buffersOf(path: string): Promise<number[]> {
  const buffers = new Set<ArrayBufferLike>()
  const { open } = disk
  const spy = spyOn(disk, 'open').mockImplementation(async (file): Promise<OpenFile> => {
    const opened = await open(file)
    const read = (bytes: Uint8Array, position: number): Promise<number> => {
      buffers.add(bytes.buffer)
      return opened.read(bytes, position)
    }
    return { size: opened.size, read, close: opened.close }
  })
  try {
    ;(await ViTForImageClassification.fromPretrained(path)).dispose()
  } finally {
    spy.mockRestore()
  }
  return [...buffers].map(({ byteLength }) => byteLength)
}

test.each<[WeightDtype, number]>(
  weightDtypes.flatMap(dtype => [5e9, 3e6].map((most): [WeightDtype, number] => [dtype, most])),
)(
  'weights in %s, at most %d bytes in a file, are read through no more memory than the largest takes',
  async (dtype, maxShardBytes) => {
    const path = join(folder, `${dtype}-${maxShardBytes}`)
    const model = new ViTForImageClassification(config)
    await model.savePretrained(path, { dtype, maxShardBytes })
    model.dispose()
    const buffers = await buffersOf(path)
    const shards = maxShardBytes === 5e9 ? 1 : buffers.filter(bytes => bytes > largest / 10).length // one buffer each
    expect(buffers.reduce((sum, bytes) => sum + bytes, 0) / shards).toBeLessThan(1.2 * largest)
    if (maxShardBytes === 5e9 && dtype === 'float32')
      expect(statSync(join(path, 'model.safetensors')).size).toBeGreaterThan(8 * largest)
  },
)

test('a weight that is NaN is named, and nothing of the model is left', async () => {
  const path = join(folder, 'float32-5000000000')
  const weights = join(path, 'model.safetensors')
  const { tensors } = await readSafetensors(weights)
  const bias = tensors.get('vit.layernorm.bias')?.data as Float32Array
  bias[2] = Number.NaN
  await writeSafetensors(weights, tensors)
  const { numTensors } = memory()
  await expect(ViTForImageClassification.fromPretrained(path)).rejects.toThrow(
    "its weights are damaged: value 2 of 'vit.layernorm.bias' is NaN",
  )
  expect(memory().numTensors).toBe(numTensors)
})

test('a load that is aborted leaves nothing of the model', async () => {
  const path = join(folder, 'float16-5000000000')
  const { numTensors } = memory()
  const controller = new AbortController()
  const loading = ViTForImageClassification.fromPretrained(path, { signal: controller.signal })
  while (memory().numTensors < numTensors + 5) await new Promise(resolve => setImmediate(resolve))
  controller.abort()
  await expect(loading).rejects.toThrow(controller.signal.reason)
  for (let i = 0; i < 100 && memory().numTensors > numTensors; i++) await new Promise(resolve => setImmediate(resolve))
  expect(memory().numTensors).toBe(numTensors)
  await expect(ViTForImageClassification.fromPretrained(path, { signal: controller.signal })).rejects.toThrow()
})
