/** Model folders: what is read, what is refused, and that what is written is read back. */
import { beforeAll, expect, test } from 'bun:test'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelFolder } from '../../../test/model-folder.ts'
import { useBackend } from '../../backend.ts'
import type { SafeTensor } from '../../files/safetensors/safetensors.ts'
import { readSafetensors, writeSafetensors } from '../../files/safetensors/safetensors-file.ts'
import { ViTForImageClassification } from '../classifier.ts'
import { ViTModel } from '../model.ts'

const { folder, fixture, weightsPath, change, editConfig, renamed } = modelFolder()

beforeAll(() => useBackend('cpu'))

async function valuesOf(model: ViTForImageClassification): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>()
  for (const [name, parameter] of model.parameters()) values.set(name, [...((await parameter.data()) as Float32Array)])
  return values
}

test('a saved folder holds the same bytes, and unknown fields of the configuration', async () => {
  editConfig(config => {
    config.transformers_version = '4.40.0'
    config.drop_path_rate = 0.25
    config.torch_dtype = 'float16' // which the file's weights are not
  })
  const out = join(folder, 'saved')
  const model = await ViTForImageClassification.fromPretrained(folder)
  await model.savePretrained(out)
  const [before, after] = [await readSafetensors(weightsPath()), await readSafetensors(join(out, 'model.safetensors'))]
  expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort())
  for (const [name, tensor] of before.tensors) expect(after.tensors.get(name)).toEqual(tensor)
  expect(after.metadata).toEqual({ format: 'pt' })
  const config = (path: string) => JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))
  expect(config(out)).toEqual({ ...config(folder), torch_dtype: 'float32' })
  expect(model.config.dropPathRate).toBe(0.25)
})

test("shards, a base model's names, and the names of transformers 5 are all read", async () => {
  const expected = await valuesOf(await ViTForImageClassification.fromPretrained(folder))
  const { tensors } = await readSafetensors(weightsPath())

  await change(all => renamed(all, name => name.replace(/^vit\./, '')))
  expect(await valuesOf(await ViTForImageClassification.fromPretrained(folder))).toEqual(expected)

  const v5: [RegExp, string][] = [
    [/encoder\.layer\./, 'layers.'],
    [/attention\.attention\.query/, 'attention.q_proj'],
    [/attention\.attention\.key/, 'attention.k_proj'],
    [/attention\.attention\.value/, 'attention.v_proj'],
    [/attention\.output\.dense/, 'attention.o_proj'],
    [/intermediate\.dense/, 'mlp.fc1'],
    [/output\.dense/, 'mlp.fc2'],
  ]
  await writeSafetensors(
    weightsPath(),
    renamed(tensors, name => v5.reduce((result, [from, to]) => result.replace(from, to), name)),
  )
  expect(await valuesOf(await ViTForImageClassification.fromPretrained(folder))).toEqual(expected)

  const map: Record<string, string> = {}
  const shards = [new Map<string, SafeTensor>(), new Map<string, SafeTensor>()]
  ;[...tensors].forEach(([name, tensor], i) => {
    map[name] = `model-0000${(i % 2) + 1}-of-00002.safetensors`
    shards[i % 2]?.set(name, tensor)
  })
  for (const [i, shard] of shards.entries())
    await writeSafetensors(join(folder, `model-0000${i + 1}-of-00002.safetensors`), shard)
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))
  rmSync(weightsPath())
  expect(await valuesOf(await ViTForImageClassification.fromPretrained(folder))).toEqual(expected)

  rmSync(join(folder, 'model-00002-of-00002.safetensors'))
  expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    'has no model-00002-of-00002.safetensors, which',
  )
})

test('more weights than a file may have become shards, and no weights of an older model stay', async () => {
  const model = await ViTForImageClassification.fromPretrained(folder)
  const expected = await valuesOf(model)
  await model.savePretrained(folder, { maxShardBytes: 100_000 })
  const shards = readdirSync(folder).filter(name => name.endsWith('.safetensors'))
  expect(shards.length).toBeGreaterThan(2)
  for (const shard of shards) expect(shard).toMatch(/^model-0000\d-of-0000\d\.safetensors$/)
  const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'))
  const bytes = [...expected.values()].reduce((sum, values) => sum + 4 * values.length, 0)
  expect(index.metadata).toEqual({ total_size: bytes })
  expect(await valuesOf(await ViTForImageClassification.fromPretrained(folder))).toEqual(expected)
  await model.savePretrained(folder)
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
})

test('a tensor under two of its names is refused', async () => {
  await change(tensors => tensors.set('layernorm.weight', tensors.get('vit.layernorm.weight') as SafeTensor))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    /has the tensor vit\.layernorm\.weight twice/,
  )
})

test('an id2label that is null counts as absent', async () => {
  editConfig(config => Object.assign(config, { id2label: null, label2id: null, num_labels: 10 }))
  const { config } = await ViTForImageClassification.fromPretrained(folder)
  expect(config.id2label[9]).toBe('LABEL_9')
})

test('fromPretrained reads half precision weights', async () => {
  await change(tensors => {
    const tensor = tensors.get('vit.layernorm.bias') as SafeTensor
    tensors.set('vit.layernorm.bias', {
      ...tensor,
      dtype: 'BF16',
      data: new Uint16Array(tensor.data.length).fill(0x3f80),
    })
  })
  const model = await ViTForImageClassification.fromPretrained(folder)
  expect(new Set(await model.parameters().get('vit.layernorm.bias')?.data())).toEqual(new Set([1]))
})

test('another number of labels needs ignoreMismatchedSizes, and onNewlyInitialized names the weights', async () => {
  expect(ViTForImageClassification.fromPretrained(folder, { numLabels: 3 })).rejects.toThrow(
    'classifier.weight has shape [10,48]; the model needs [3,48]',
  )
  const newNames: string[] = []
  const model = await ViTForImageClassification.fromPretrained(folder, {
    numLabels: 3,
    ignoreMismatchedSizes: true,
    onNewlyInitialized: names => newNames.push(...names),
  })
  expect(newNames).toEqual(['classifier.weight', 'classifier.bias'])
  expect(model.config.id2label).toEqual({ 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' })
  expect(model.parameters().get('classifier.weight')?.shape).toEqual([3, 48])
})

test('for another image size the positions are interpolated, and the model is saved as one of that size', async () => {
  const name = 'vit.embeddings.position_embeddings'
  const out = join(folder, 'resized')
  const before = await valuesOf(await ViTForImageClassification.fromPretrained(folder))
  // 4 × 4 patches become 2 × 8: as many, elsewhere
  for (const imageSize of [48, [16, 64]] as const) {
    const resized = await ViTForImageClassification.fromPretrained(folder, { imageSize })
    await resized.savePretrained(out)
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).image_size).toEqual(imageSize as never)
    const after = await valuesOf(await ViTForImageClassification.fromPretrained(out))
    expect(after).toEqual(await valuesOf(resized))
    expect(resized.parameters().get(name)?.shape).toEqual([1, 1 + (imageSize === 48 ? 36 : 16), 48])
    const [old, positions] = [before.get(name) ?? [], after.get(name) ?? []]
    expect(positions.slice(0, 48)).toEqual(old.slice(0, 48)) // the class token's
    expect(positions.slice(48, 96)).not.toEqual(old.slice(48, 96))
    for (const [other, values] of before) if (other !== name) expect(after.get(other)).toEqual(values)
  }
  const rest = await ViTForImageClassification.fromPretrained(folder, { imageSize: 50 }) // 6 × 6 patches and 2 pixels
  expect(rest.parameters().get(name)?.shape).toEqual([1, 37, 48])
  editConfig(config => {
    config.image_size = 40
  })
  await expect(ViTForImageClassification.fromPretrained(folder, { imageSize: 48 })).rejects.toThrow(
    'position_embeddings has shape [1,17,48]; the model needs [1,37,48]',
  )
})

test('fromPretrained names unknown, missing and misshapen tensors', async () => {
  await change(tensors => {
    tensors.set('vit.extra', { dtype: 'F32', shape: [1], data: new Float32Array(1) })
    tensors.delete('vit.layernorm.weight')
    tensors.set('vit.layernorm.bias', { dtype: 'F32', shape: [2], data: new Float32Array(2) })
  })
  const loading = ViTForImageClassification.fromPretrained(folder)
  await expect(loading).rejects.toThrow('vit.layernorm.weight is missing')
  await expect(loading).rejects.toThrow('vit.layernorm.bias has shape [2]; the model needs [48]')
  await expect(loading).rejects.toThrow('vit.extra is unknown to the model')
})

test('a headless model leaves the classifier out, and keeps a pooler', async () => {
  expect((await ViTModel.fromPretrained(folder)).parameters().has('embeddings.cls_token')).toBe(true)
  await change(tensors => {
    tensors.set('pooler.dense.weight', { dtype: 'F32', shape: [48, 48], data: new Float32Array(48 * 48) })
    tensors.set('pooler.dense.bias', { dtype: 'F32', shape: [48], data: new Float32Array(48).fill(0.5) })
  })
  expect((await ViTModel.fromPretrained(folder)).parameters().has('pooler.dense.weight')).toBe(true)
  expect((await ViTForImageClassification.fromPretrained(folder)).parameters().has('vit.pooler.dense.weight')).toBe(
    false,
  )
})

test('a wrong configuration is refused with its file and field', async () => {
  const refused = async (field: string, value: unknown, message: string) => {
    cpSync(fixture, folder, { recursive: true })
    editConfig(config => {
      config[field] = value
    })
    await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(message)
  }
  await refused('model_type', 'bert', "describes a model of type 'bert'; Vitral reads 'vit'")
  await refused('hidden_size', '48', 'hidden_size is "48"; expected a number')
  await refused('hidden_act', 'mish', `The configuration of ${folder}: hiddenAct is "mish"; expected`)
  await refused('num_labels', 'ten', 'num_labels is "ten"; expected a number')
  await refused('num_attention_heads', 5, 'hiddenSize is 48; expected a multiple of numAttentionHeads (5)')
  await refused('image_size', 7, 'imageSize is 7; expected at least one patch (patchSize is 8)')
  await refused('id2label', { 1: 'a' }, 'id2label is not a map from "0"')
  writeFileSync(join(folder, 'config.json'), '{')
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow('config.json is not JSON')
})
