/** Folders of adapters that are not plain LoRA, not whole, or not there. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, tensor4d } from '@tensorflow/tfjs-core'
import { useBackend } from '../../backend.ts'
import { ViTForImageClassification } from '../classifier.ts'
import { adapterConfigFromJson } from './adapter-config.ts'

let folder: string

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-adapters-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const small = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, mlpRatio: 2, imageSize: 16, patchSize: 8 }
const plain = { peft_type: 'LORA', r: 4, lora_alpha: 8 }

/** What PEFT 0.20 writes of plain adapters. */
const newest = {
  ...{ auto_mapping: null, base_model_name_or_path: 'x', revision: null, task_type: null, inference_mode: true },
  ...{ target_modules: ['query'], exclude_modules: null, lora_dropout: 0.1, fan_in_fan_out: false, bias: 'none' },
  ...{ use_rslora: false, modules_to_save: ['classifier'], init_lora_weights: true, layers_to_transform: null },
  ...{ layers_pattern: null, rank_pattern: {}, alpha_pattern: {}, megatron_config: null, loftq_config: {} },
  ...{ megatron_core: 'megatron.core', trainable_token_indices: null, eva_config: null, corda_config: null },
  ...{ lora_ga_config: null, use_dora: false, velora_config: null, alora_invocation_tokens: null, use_qalora: false },
  ...{ qalora_group_size: 16, monteclora_config: null, layer_replication: null, lora_bias: false },
  ...{
    target_parameters: null,
    use_bdlora: null,
    arrow_config: null,
    ensure_weight_tying: false,
    peft_version: '0.20',
  },
}

test('adapterConfigFromJson reads what PEFT writes for plain adapters', () => {
  expect(adapterConfigFromJson({ ...newest, ...plain }, 'it')).toMatchObject({ rank: 4, alpha: 8 })
  for (const initialization of [true, false, 'gaussian', 'eva', undefined])
    adapterConfigFromJson({ ...plain, init_lora_weights: initialization }, 'it')
})

test.each<[fields: object, message: string]>([
  ...['pissa', 'pissa_niter_4', 'olora', 'corda', 'loftq', 'orthogonal', 'lora_ga', 'mica'].map(
    (name): [object, string] => [
      { init_lora_weights: name },
      `it: init_lora_weights is "${name}"; expected true, false, "gaussian" or "eva"`,
    ],
  ),
  [{ use_dora: true }, 'it: use_dora is true; expected false or no such field'],
  [{ use_rslora: true }, 'it: use_rslora is true'],
  [{ lora_bias: true }, 'it: lora_bias is true'],
  [{ alora_invocation_tokens: [1] }, 'it: alora_invocation_tokens is [1]; expected no such field'],
  [{ layer_replication: [[0, 1]] }, 'it: layer_replication is [[0,1]]'],
  [{ alpha_pattern: { query: 2 } }, 'it: alpha_pattern gives some layers another value'],
  [{ of_next_year: 1 }, 'it: Vitral does not know of_next_year; remove what changes no number'],
  [{ r: 1.5 }, 'it: r is 1.5; expected a whole number from 1'],
  [{ r: 2 ** 53 }, 'it: r is 9007199254740992; expected a whole number'],
  [{ r: null }, 'it: r is missing; expected a whole number'],
  [{ lora_alpha: Number.POSITIVE_INFINITY }, 'it: lora_alpha is Infinity; expected a number above 0'],
  [{ lora_alpha: 1e300 }, 'it: lora_alpha is 1e+300; expected a number above 0'],
  [{ peft_type: null }, 'it: peft_type is missing; expected "LORA"'],
])('%o is refused', (fields, message) => {
  expect(() => adapterConfigFromJson({ ...newest, ...plain, ...fields }, 'it')).toThrow(message)
})

test('adapterConfigFromJson refuses a file that holds no object', () => {
  for (const json of [[], null, 1]) expect(() => adapterConfigFromJson(json, 'it')).toThrow('it')
})

test('loadAdapters names what a folder lacks', async () => {
  const model = new ViTForImageClassification(small)
  const refused = (path: string, message: string) => expect(model.loadAdapters(path)).rejects.toThrow(message)
  await refused('no/such/folder', "'no/such/folder' is neither a folder that exists nor a hub id such as")
  await refused(folder, `${folder} has no adapter_config.json; expected adapters that PEFT or saveAdapters wrote.`)
  writeFileSync(join(folder, 'config.json'), '{}')
  await refused(folder, 'wrote, and it holds a whole model.')
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(plain))
  await refused(folder, `${folder} has no adapter_model.safetensors; expected the weights`)
  writeFileSync(join(folder, 'adapter_model.bin'), '')
  await refused(folder, `${folder} has no adapter_model.safetensors, but adapter_model.bin; save it again in Python`)
  model.dispose()
})

test("adapters of a model with a factor of its own fit what transformers computes, and the model's own", async () => {
  const pixels = tensor4d(
    Float32Array.from({ length: 3 * 256 }, (_, i) => Math.sin(i)),
    [1, 3, 16, 16],
  )
  const logits = async (model: ViTForImageClassification) => [...(await model.forward(pixels).logits.data())]
  const close = (a: readonly number[], b: readonly number[]) =>
    a.forEach((value, i) => {
      expect(value).toBeCloseTo(b[i] as number, 5)
    })
  const config = { ...small, qkScale: 3, initializerRange: 0.4 }
  const model = new ViTForImageClassification(config, { seed: 1 })
  await model.savePretrained(join(folder, 'base'))
  model.addAdapters({ rank: 2, targets: ['query', 'value'], seed: 2 })
  for (const [name, parameter] of model.parameters()) if (name.includes('lora_B')) parameter.assign(add(parameter, 0.5))
  mkdirSync(join(folder, 'adapters'))
  await model.saveAdapters(join(folder, 'adapters'))
  const expected = await logits(model)

  const foreign = await ViTForImageClassification.fromPretrained(join(folder, 'base'))
  await foreign.loadAdapters(join(folder, 'adapters'))
  close(await logits(foreign), expected)
  const own = new ViTForImageClassification(config, { seed: 1 })
  await own.loadAdapters(join(folder, 'adapters'))
  close(await logits(own), expected)
  expect(readFileSync(join(folder, 'base/config.json'), 'utf8')).not.toContain('qk_scale')
  for (const each of [model, foreign, own]) each.dispose()
})
