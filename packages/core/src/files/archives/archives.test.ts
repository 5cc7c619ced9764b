import { afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '../../backend.ts'
import { ViTImageProcessor } from '../../image/image-processor.ts'
import { AutoModel, AutoModelForImageClassification } from '../../vit/auto-model.ts'
import { readModelConfig } from '../read-model-config.ts'
import type { SafeTensor } from '../safetensors/safetensors.ts'
import { readSafetensors } from '../safetensors/safetensors-file.ts'

// Written by PyTorch 1.13 and NumPy: one model, whose values model.safetensors has too.
const fixtures = join(import.meta.dirname, '../../../test/fixtures/archives')
let folder: string

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-archives-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A folder with a configuration and these weights. */
function folderWith(file: string, name: string): string {
  copyFileSync(join(fixtures, 'config.json'), join(folder, 'config.json'))
  copyFileSync(join(fixtures, file), join(folder, name))
  return folder
}

async function expectTheModel(source: string): Promise<void> {
  const model = await AutoModelForImageClassification.fromPretrained(source)
  const { tensors } = await readSafetensors(join(fixtures, 'model.safetensors'))
  expect([...model.parameters().keys()].sort()).toEqual([...tensors.keys()].sort())
  for (const [name, { data, shape }] of tensors) {
    const parameter = model.parameters().get(name)
    expect({ name, shape: parameter?.shape }).toEqual({ name, shape })
    expect(await parameter?.data()).toEqual(data as Float32Array)
  }
  model.dispose()
}

test("pytorch_model.bin is read: strides, offsets, parameters, doubles and a module's versions", async () => {
  await expectTheModel(folderWith('pytorch_model.bin', 'pytorch_model.bin'))
  expect((await readModelConfig(folder)).numLabels).toBe(3)
})

test("Flax's arrays are read, stored and compressed, in a folder and by themselves", async () => {
  await expectTheModel(folderWith('stored.npz', 'vit.npz'))
  await expectTheModel(folderWith('compressed.npz', 'vit.npz'))
  await expectTheModel(join(fixtures, 'compressed.npz'))
  const { config } = await ViTImageProcessor.fromPretrained(join(fixtures, 'stored.npz'))
  expect(config).toMatchObject({ size: { height: 8, width: 8 }, imageMean: [0.5, 0.5, 0.5] })
})

test('what a pickle asks Python to do is refused by name, and nothing is run', async () => {
  const load = (file: string) => AutoModel.fromPretrained(folderWith(file, 'pytorch_model.bin'))
  await expect(load('code.bin')).rejects.toThrow(/asks Python to call (posix|os)\.system; Vitral runs no code of files/)
  await expect(load('legacy.bin')).rejects.toThrow('is of PyTorch before 1.6, or a bare pickle; expected a zip archive')
  await expect(load('no-tensors.bin')).rejects.toThrow('holds no table of tensors; expected a state_dict')
  await expect(load('stored.npz')).rejects.toThrow('has no data.pkl; expected a checkpoint that torch.save wrote')
})

test('a damaged archive is refused with what is wrong', async () => {
  const bytes = readFileSync(join(fixtures, 'pytorch_model.bin'))
  const load = async (damaged: Uint8Array, name: string) => {
    copyFileSync(join(fixtures, 'config.json'), join(folder, 'config.json'))
    writeFileSync(join(folder, name), damaged)
    return AutoModel.fromPretrained(folder)
  }
  await expect(load(bytes.subarray(0, 4000), 'pytorch_model.bin')).rejects.toThrow('is no zip archive, or is damaged')
  const flipped = Uint8Array.from(bytes)
  const { tensors } = await readSafetensors(join(fixtures, 'model.safetensors'))
  const { data } = tensors.get('vit.embeddings.patch_embeddings.projection.weight') as SafeTensor
  const at = bytes.indexOf(Buffer.from(data.slice(0, 4).buffer)) + 1
  flipped[at] = (flipped[at] as number) ^ 1
  await expect(load(flipped, 'pytorch_model.bin')).rejects.toThrow('has a damaged member pytorch_model/data/')
  rmSync(join(folder, 'pytorch_model.bin'))
  const arrays = readFileSync(join(fixtures, 'stored.npz'))
  await expect(load(arrays.subarray(0, 3000), 'vit.npz')).rejects.toThrow('is no zip archive, or is damaged')
  await expect(AutoModel.fromPretrained(folderWith('objects.npz', 'vit.npz'))).rejects.toThrow(
    `cls.npy in ${join(folder, 'vit.npz')} is an array of {'descr': '|O'`,
  )
})

test('an archive of other arrays is no model', async () => {
  copyFileSync(join(fixtures, 'objects.npz'), join(folder, 'other.npz'))
  await expect(AutoModel.fromPretrained(join(folder, 'other.npz'))).rejects.toThrow("is an array of {'descr': '|O'")
})
