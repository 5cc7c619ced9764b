/** Low-rank adapters: their initial values, their options, and that a folder of them is what PEFT reads and writes. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, ViTModel } from '@vitral/core'
import { readSafetensors, type SafeTensor, writeSafetensors } from '@vitral/core/files'
import { loraTargets } from '@vitral/core/vit'
import { HubServer } from '../../../test/hub-server.ts'
import { adaptedModel, logitsOf, loraPixels, loraSuite } from '../../../test/lora-suite.ts'

let folder: string

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-adapters-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('on stock cpu', () => loraSuite((name, run) => test(name, run)))

const small = {
  ...{ hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 96, imageSize: 16, patchSize: 4 },
  numLabels: 5,
}
/** A model with the weights that those of the suite had before their adapters. */
const base = () => {
  const model = adaptedModel()
  const { config } = model
  model.dispose()
  return new ViTForImageClassification(config)
}

test("addAdapters gives the targets PEFT's shapes, names and initial values", async () => {
  const model = new ViTForImageClassification(small)
  const plain = model.countParameters().total
  model.addAdapters({ rank: 4, targets: ['query', 'output.dense'], seed: 7 })
  const adapters = [...model.parameters()].filter(([name]) => name.includes('lora_'))
  expect(adapters.map(([name, { shape }]) => [name, shape])).toEqual(
    [0, 1].flatMap(i => [
      [`vit.encoder.layer.${i}.attention.attention.query.lora_A.weight`, [4, 64]],
      [`vit.encoder.layer.${i}.attention.attention.query.lora_B.weight`, [64, 4]],
      [`vit.encoder.layer.${i}.output.dense.lora_A.weight`, [4, 96]],
      [`vit.encoder.layer.${i}.output.dense.lora_B.weight`, [64, 4]],
    ]),
  )
  const head = 5 * 64 + 5
  const added = 2 * 4 * (64 + 64 + 96 + 64)
  expect(model.countParameters()).toEqual({ trainable: added + head, total: plain + added })
  for (const [name, parameter] of adapters) {
    const values = [...((await parameter.data()) as Float32Array)]
    if (name.includes('lora_B')) expect(new Set(values)).toEqual(new Set([0]))
    else {
      const bound = 1 / Math.sqrt(parameter.shape[1] as number)
      expect(values.every(value => Math.abs(value) <= bound)).toBe(true)
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)
      expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.15) // 256 numbers or more
    }
  }
  const first = await model
    .parameters()
    .get(adapters[0]?.[0] as string)
    ?.data()
  const second = await model
    .parameters()
    .get(adapters[4]?.[0] as string)
    ?.data()
  expect([...(first ?? [])]).not.toEqual([...(second ?? [])])
  model.dispose()
})

test('addAdapters refuses unknown options and a second set of adapters', () => {
  const model = new ViTForImageClassification(small)
  const refused = (options: object, message: string) => expect(() => model.addAdapters(options)).toThrow(message)
  refused({ rank: 0 }, 'LoRA: rank is 0; expected a whole number of at least 1')
  refused({ rank: 2 ** 53 }, 'LoRA: rank is 9007199254740992; expected a whole number of at least 1 and at most')
  refused({ alpha: -1 }, 'LoRA: alpha is -1; expected a number above 0')
  refused({ alpha: 1e39 }, 'LoRA: alpha is 1e+39; expected a number above 0')
  refused({ targets: [] }, 'LoRA: targets is []; expected some of query, key, value, attention.output.dense')
  refused({ targets: ['qkv'] }, 'LoRA: targets is ["qkv"]; expected some of query')
  expect(() => model.setTrainable('adapters')).toThrow('the model has no adapters')
  model.addAdapters()
  refused({}, 'The model has adapters; merge them')
  const before = memory().numTensors
  model.mergeAdapters()
  expect(memory().numTensors).toBe(before - 8)
  model.addAdapters()
  model.dispose()
})

test('savePretrained merges adapters, and the saved model computes the same bits', async () => {
  const model = adaptedModel()
  await model.savePretrained(folder)
  const saved = await ViTForImageClassification.fromPretrained(folder)
  expect([...saved.parameters().keys()].some(name => name.includes('lora'))).toBe(false)
  expect(await logitsOf(saved)).toEqual(await logitsOf(model))
  expect(model.parameters().has('vit.encoder.layer.0.output.dense.lora_A.weight')).toBe(true)
  for (const each of [model, saved]) each.dispose()
})

test("saveAdapters uses PEFT's names, and loadAdapters gives a fresh base model the same bits", async () => {
  const model = adaptedModel({ rank: 3, alpha: 5, targets: ['value', 'query'] })
  await model.saveAdapters(folder, { baseModel: 'google/vit-base-patch16-224' })
  expect(readdirSync(folder).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
  expect(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))).toEqual({
    ...{ peft_type: 'LORA', task_type: null, base_model_name_or_path: 'google/vit-base-patch16-224' },
    ...{ inference_mode: true, r: 3, lora_alpha: 5, lora_dropout: 0, target_modules: ['query', 'value'] },
    ...{ modules_to_save: ['classifier'], bias: 'none', fan_in_fan_out: false, init_lora_weights: true },
  })
  const { tensors } = await readSafetensors(join(folder, 'adapter_model.safetensors'))
  expect([...tensors].map(([name, { shape }]) => [name, shape]).sort()).toEqual(
    [
      ['base_model.model.classifier.bias', [5]],
      ['base_model.model.classifier.weight', [5, 20]],
      ...[0, 1].flatMap(i =>
        ['query', 'value'].flatMap(part => [
          [`base_model.model.vit.encoder.layer.${i}.attention.attention.${part}.lora_A.weight`, [3, 20]],
          [`base_model.model.vit.encoder.layer.${i}.attention.attention.${part}.lora_B.weight`, [20, 3]],
        ]),
      ),
    ].sort() as never,
  )
  const copy = base()
  expect(await logitsOf(copy)).not.toEqual(await logitsOf(model))
  await copy.loadAdapters(folder)
  expect(await logitsOf(copy)).toEqual(await logitsOf(model))
  expect([...copy.trainableParameters().keys()].sort()).toEqual([...model.trainableParameters().keys()].sort())
  await copy.saveAdapters(folder)
  const again = await readSafetensors(join(folder, 'adapter_model.safetensors'))
  expect(again.tensors).toEqual(tensors)
  for (const each of [model, copy]) each.dispose()
})

test('loadAdapters takes a hub id, and what it kept when the hub fails', async () => {
  const model = adaptedModel({ rank: 2 })
  await model.saveAdapters(folder)
  const hub = new HubServer()
  for (const file of readdirSync(folder)) hub.files.set(file, readFileSync(join(folder, file)))
  const options = { endpoint: hub.endpoint, cacheFolder: join(folder, 'cache'), onWarning: () => {} }
  for (const status of [undefined, 503]) {
    if (status) hub.fault = { status }
    const copy = base()
    await copy.loadAdapters('owner/model', options)
    expect(await logitsOf(copy)).toEqual(await logitsOf(model))
    copy.dispose()
  }
  expect(hub.requests.some(({ path }) => path.endsWith('/model.safetensors'))).toBe(false)
  await hub.stop()
  model.dispose()
})

test.each(['all', 'key and output.dense', ...loraTargets])(
  "PEFT's target_modules for %s mean these layers and no others",
  async names => {
    const targets = loraTargets.filter(target => names === 'all' || names.split(' and ').includes(target))
    const model = adaptedModel({ rank: 1, targets })
    await model.saveAdapters(folder)
    const { target_modules: named } = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
    const modules = [...model.parameters().keys()].filter(name => /layer\.\d/.test(name) && !name.includes('lora_'))
    // as peft's check_target_module_exists
    const isTarget = (module: string) =>
      typeof named === 'string'
        ? new RegExp(`^(?:${named})$`).test(module)
        : (named as string[]).some(name => module === name || module.endsWith(`.${name}`))
    const meant = modules.map(name => name.replace(/\.(weight|bias)$/, '')).filter(isTarget)
    const adapted = [...model.parameters().keys()].flatMap(name => /^(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? [])
    expect([...new Set(meant)].sort()).toEqual(adapted.sort())
    model.dispose()
  },
)

test('loadAdapters reads what newer PEFT writes, names of transformers 5, and adapters of a bare model', async () => {
  const model = adaptedModel()
  await model.saveAdapters(folder)
  const configPath = join(folder, 'adapter_config.json')
  const config = JSON.parse(readFileSync(configPath, 'utf8'))
  const more = { alpha_pattern: {}, rank_pattern: {}, use_dora: false, use_rslora: false, lora_bias: false }
  writeFileSync(configPath, JSON.stringify({ ...config, ...more, lora_dropout: 0.1, eva_config: null }))
  const path = join(folder, 'adapter_model.safetensors')
  const { tensors } = await readSafetensors(path)
  const renamed = [...tensors].map(([name, tensor]): [string, SafeTensor] => [
    name
      .replace('vit.encoder.layer.', 'layers.')
      .replace('attention.attention.query', 'attention.q_proj')
      .replace('intermediate.dense', 'mlp.fc1'),
    tensor,
  ])
  await writeSafetensors(path, new Map(renamed))
  const copy = base()
  await copy.loadAdapters(folder)
  expect(await logitsOf(copy)).toEqual(await logitsOf(model))

  await writeSafetensors(path, new Map(renamed.filter(([name]) => !name.includes('classifier'))))
  const bare = new ViTModel(model.config)
  await bare.loadAdapters(folder)
  expect(bare.countParameters().trainable).toBe(model.countParameters().trainable - (20 * 5 + 5))
  const pixels = loraPixels()
  const features = (of: ViTModel | ViTForImageClassification) => of.forward(pixels, { outputHiddenStates: true })
  const [ours, theirs] = [features(bare), features(copy)].map(({ hiddenStates }) => hiddenStates?.at(-1)?.dataSync())
  expect(ours).toEqual(theirs)
  for (const each of [model, copy, bare]) each.dispose()
})

test('loadAdapters refuses other kinds and misfits, and leaves the model as it was', async () => {
  const model = adaptedModel()
  await model.saveAdapters(folder)
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const copy = base()
  const before = memory().numTensors
  const refused = async (change: object, message: string) => {
    writeFileSync(path, JSON.stringify({ ...config, ...change }))
    await expect(copy.loadAdapters(folder)).rejects.toThrow(message)
  }
  await refused({ peft_type: 'IA3' }, 'peft_type is "IA3"; expected "LORA"')
  await refused({ use_dora: true }, 'use_dora is true; expected false')
  await refused({ bias: 'all' }, 'bias is "all"; expected "none"')
  await refused({ rank_pattern: { query: 4 } }, 'rank_pattern gives some layers another value')
  await refused({ lora_alpha: 'much' }, 'lora_alpha is "much"; expected a number above 0')
  await refused({ r: 4 }, 'lora_A.weight has shape [3,20]; the model needs [4,20]')
  writeFileSync(path, JSON.stringify(config))
  const weights = join(folder, 'adapter_model.safetensors')
  const { tensors } = await readSafetensors(weights)
  const query = 'base_model.model.vit.encoder.layer.0.attention.attention.query'
  tensors.delete(`${query}.lora_B.weight`)
  tensors.set('base_model.model.vit.embeddings.lora_A.weight', tensors.get(`${query}.lora_A.weight`) as SafeTensor)
  await writeSafetensors(weights, tensors)
  const loading = copy.loadAdapters(folder)
  await expect(loading).rejects.toThrow('query.lora_B.weight has shape [missing]; the model needs [20,3]')
  await expect(loading).rejects.toThrow('embeddings.lora_A.weight is unknown to the model')
  ;(tensors.get('base_model.model.classifier.bias')?.data as Float32Array)[1] = Infinity
  await writeSafetensors(weights, tensors)
  await expect(copy.loadAdapters(folder)).rejects.toThrow("value 1 of 'classifier.bias' is Infinity")
  const bytes = readFileSync(weights)
  writeFileSync(weights, bytes.with(bytes.length - 1, (bytes.at(-1) as number) ^ 1))
  await expect(copy.loadAdapters(folder)).rejects.toThrow(`${weights} is damaged: its content does not match`)
  await expect(copy.saveAdapters(folder)).rejects.toThrow('the model has no adapters')
  expect(memory().numTensors).toBe(before)
  for (const each of [model, copy]) each.dispose()
})
