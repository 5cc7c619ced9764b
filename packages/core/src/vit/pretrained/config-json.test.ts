/** Fields of others' `config.json`: obeyed, known to change nothing, or refused by name. */
import { beforeAll, expect, test } from 'bun:test'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  add,
  erf,
  fill,
  matMul,
  mul,
  relu,
  reshape,
  slice,
  type Tensor,
  type Tensor2D,
  tanh,
  tensor4d,
} from '@tensorflow/tfjs-core'
import { modelFolder } from '../../../test/model-folder.ts'
import { useBackend } from '../../backend.ts'
import { ViTForImageClassification } from '../classifier.ts'
import { ViTModel } from '../model.ts'

const { folder, fixture, change, editConfig } = modelFolder()

beforeAll(() => useBackend('cpu'))

test('the pooler has the activation and the width of the configuration', async () => {
  const width = 6
  await change(tensors => {
    const data = Float32Array.from({ length: width * 48 }, (_, i) => Math.sin(i))
    tensors.set('pooler.dense.weight', { dtype: 'F32', shape: [width, 48], data })
    tensors.set('pooler.dense.bias', { dtype: 'F32', shape: [width], data: new Float32Array(width).fill(-0.5) })
  })
  const pooled = async (act: string): Promise<number[]> => {
    editConfig(config => Object.assign(config, { pooler_act: act, pooler_output_size: width }))
    const model = await ViTModel.fromPretrained(folder)
    const { lastHiddenState, poolerOutput } = model.forward(fill([1, 3, 32, 32], 0.3))
    const [weight, bias] = ['weight', 'bias'].map(name => model.parameters().get(`pooler.dense.${name}`))
    const features = reshape(slice(lastHiddenState, [0, 0, 0], [1, 1, 48]), [1, 48])
    const before = add(matMul(features, weight as unknown as Tensor2D, false, true), bias as unknown as Tensor)
    const functions: Record<string, (x: Tensor) => Tensor> = {
      tanh,
      relu,
      gelu: x => mul(mul(x, add(erf(mul(x, Math.SQRT1_2)), 1)), 0.5),
    }
    const expected = await (functions[act.replace('_python', '')] as (x: Tensor) => Tensor)(before).data()
    const output = await (poolerOutput as Tensor).data()
    output.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 5)
    })
    await model.savePretrained(join(folder, 'saved'))
    const again = await ViTModel.fromPretrained(join(folder, 'saved'))
    expect(await again.forward(fill([1, 3, 32, 32], 0.3)).poolerOutput?.data()).toEqual(output as Float32Array)
    return [...output]
  }
  const outputs = [await pooled('tanh'), await pooled('gelu'), await pooled('gelu_python'), await pooled('relu')]
  expect(new Set(outputs.map(values => values.join())).size).toBe(3)
  editConfig(config => Object.assign(config, { pooler_act: 'mish' }))
  await expect(ViTModel.fromPretrained(folder)).rejects.toThrow('poolerAct is "mish"; expected one of tanh, relu, gelu')
  await ViTForImageClassification.fromPretrained(folder) // which has no pooler
})

test("a model's own factor of the scores goes into the queries it saves", async () => {
  const pixels = tensor4d(
    Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i)),
    [1, 3, 32, 32],
  )
  const model = await ViTForImageClassification.fromPretrained(folder, { qkScale: 2 })
  const logits = await model.forward(pixels).logits.data()
  const out = join(folder, 'saved')
  await model.savePretrained(out)
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).not.toHaveProperty('qk_scale')
  const saved = await ViTForImageClassification.fromPretrained(out)
  expect(saved.config.qkScale).toBeNull()
  const again = await saved.forward(pixels).logits.data()
  again.forEach((logit, i) => {
    expect(logit).toBeCloseTo(logits[i] as number, 5)
  })
  const plain = await (await ViTForImageClassification.fromPretrained(folder)).forward(pixels).logits.data()
  expect(Math.max(...plain.map((logit, i) => Math.abs(logit - (logits[i] as number))))).toBeGreaterThan(1e-2)
  editConfig(config => Object.assign(config, { qk_scale: 2 }))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    "qk_scale is 2, which transformers' ViT would pass over; expected no such field",
  )
})

test('names of classes may be numbers, or stand in label2id alone, and two maps may not contradict', async () => {
  const labels = async (fields: object) => {
    cpSync(fixture, folder, { recursive: true })
    editConfig(config => Object.assign(config, { label2id: null }, fields))
    return Object.values((await ViTForImageClassification.fromPretrained(folder)).config.id2label)
  }
  const names = [60, 41, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 1.5]
  const inverse = Object.fromEntries(names.map((name, i) => [name, i]))
  expect(await labels({ id2label: { ...names } })).toEqual(names.map(String))
  expect(await labels({ id2label: { ...names }, label2id: inverse })).toEqual(names.map(String))
  expect(await labels({ id2label: null, label2id: inverse })).toEqual(names.map(String))
  expect(await labels({ id2label: { ...names }, label2id: { LABEL_0: 0, a: '2' } })).toEqual(names.map(String))
  await expect(labels({ id2label: { ...names }, label2id: { a: 1 } })).rejects.toThrow(
    'label2id gives "a" the index 1, but id2label gives it 2; expected the same in both',
  )
  await expect(labels({ id2label: null, label2id: { a: 1 } })).rejects.toThrow('label2id is not a map from names to 0')
  await expect(labels({ id2label: { ...names, 3: true } })).rejects.toThrow('id2label is not a map from "0"')
})

test('configFromJson refuses fields of another model by name, and returns unknown ones', async () => {
  for (const [field, value] of Object.entries({
    use_swiglu_ffn: true,
    layerscale_value: 0.1,
    num_register_tokens: 4,
    pruned_heads: { 0: [1] },
    per_layer_config: { 0: { hidden_size: 4 } },
    quantization_config: { bits: 4 },
    mlp_ratio: 2,
  })) {
    cpSync(fixture, folder, { recursive: true })
    editConfig(config => Object.assign(config, { [field]: value }))
    await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(`config.json: ${field} is `)
  }
  cpSync(fixture, folder, { recursive: true })
  const neutral = { use_swiglu_ffn: false, pruned_heads: {}, num_register_tokens: 0, layerscale_value: null }
  editConfig(config =>
    Object.assign(config, neutral, { _name_or_path: 'x', hidden_act: 'gelu_python', my_note: 1, other: {} }),
  )
  const told: string[] = []
  const model = await ViTForImageClassification.fromPretrained(folder, {
    onUnknownFields: names => told.push(...names),
  })
  expect(told).toEqual(['my_note'])
  expect(model.config.extra.my_note).toBe(1)
  expect(model.config.hiddenAct).toBe('gelu')
  writeFileSync(join(folder, 'config.json'), '{"a": 1}')
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    "has none of the fields of a ViT's configuration",
  )
})

test('numbers that JSON cannot hold, and nesting without end, are refused by field and file', async () => {
  const text = readFileSync(join(folder, 'config.json'), 'utf8')
  for (const [field, number] of [
    ['layer_norm_eps', '1e400'],
    ['initializer_range', '1e400'],
    ['image_size', '1e400'],
    ['hidden_size', '-1e400'],
    ['drop_path_rate', '1e400'],
    ['num_labels', '1e400'],
  ]) {
    writeFileSync(join(folder, 'config.json'), `${text.trimEnd().slice(0, -1)}, "${field}": ${number}}`)
    await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
      `${field} is ${Number(number)}; expected a number`,
    )
  }
  writeFileSync(join(folder, 'config.json'), '['.repeat(2e6))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow('config.json is not JSON')
})
