/** Members without fixtures of their own: another member's tensors under their names have to give the same numbers. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import { familyFolder, familyImages } from '../../../test/family-suite.ts'
import { useBackend } from '../../backend.ts'
import type { SafeTensor } from '../../files/safetensors/safetensors.ts'
import { readSafetensors, writeSafetensors } from '../../files/safetensors/safetensors-file.ts'
import { AutoModel, AutoModelForImageClassification } from '../auto-model.ts'

let folder: string

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-renamed-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Config = Record<string, unknown>

/** Writes the tensors of a fixture under other names, with another configuration. */
async function rename(
  fixture: string,
  config: (own: Config) => Config,
  nameOf: (name: string) => string | undefined,
): Promise<void> {
  const { tensors } = await readSafetensors(join(familyFolder, fixture, 'model.safetensors'))
  const own = JSON.parse(readFileSync(join(familyFolder, fixture, 'config.json'), 'utf8'))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config(own)))
  const joined = new Map<string, SafeTensor>()
  for (const [name, tensor] of [...tensors].sort(byPart)) {
    const other = nameOf(name)
    if (other === undefined) continue
    const found = joined.get(other)
    const shape = /^(cls_token|pos_embed)$/.test(other) ? [1, tensor.data.length / 48, 48] : tensor.shape
    joined.set(other, found ? together(found, tensor) : { ...tensor, shape })
  }
  await writeSafetensors(join(folder, 'model.safetensors'), joined)
}

/** Queries, keys, values, in the order of timm's rows; anything else as it is. */
const byPart = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => partOf(a) - partOf(b)
const partOf = (name: string): number =>
  ['q', 'k', 'v'].indexOf(/\.(q|k|v)(_proj|uery|ey|alue)\./.exec(name)?.[1] ?? '')

const together = (a: SafeTensor, b: SafeTensor): SafeTensor => ({
  dtype: 'F32',
  shape: [(a.shape[0] as number) + (b.shape[0] as number), ...a.shape.slice(1)],
  data: Float32Array.from([...(a.data as Float32Array), ...(b.data as Float32Array)]),
})

async function expectFixture(actual: Tensor | undefined, fixture: string, name: string): Promise<void> {
  const { buffer, byteOffset, byteLength } = readFileSync(join(familyFolder, fixture, `${name}.f64`))
  const expected = new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength))
  const values = await (actual as Tensor).data()
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  for (const [i, value] of expected.entries())
    expect(Math.abs((values[i] as number) - value)).toBeLessThan(2e-5 * largest)
}

const timm =
  (architecture: string, pool: string, args: Config = {}) =>
  () => ({
    architecture,
    ...{ num_classes: 0, num_features: 48, global_pool: pool },
    pretrained_cfg: { input_size: [3, 32, 32] },
    model_args: { num_heads: 3, ...args },
  })

test('data2vec-vision is BEiT under another prefix', async () => {
  await rename(
    'beit',
    own => ({ ...own, model_type: 'data2vec-vision' }),
    name => name.replace(/^beit\./, 'data2vec_vision.'),
  )
  const model = await AutoModelForImageClassification.fromPretrained(folder)
  await expectFixture(model.forward(familyImages('beit')).logits, 'beit', 'logits')
})

test("timm's CLIP, with its quick GELU, pools the class token after the norm", async () => {
  await rename('clip-vision', timm('vit_base_patch8_clip_quickgelu_32', 'token'), name =>
    name === 'visual_projection.weight' ? name : clipName(name),
  )
  const model = await AutoModel.fromPretrained(folder)
  expect(model.config).toMatchObject({ hiddenAct: 'quick_gelu', normBeforeEncoder: true, layerNormEps: 1e-5 })
  await expectFixture(model.forward(familyImages('clip-vision')).poolerOutput, 'clip-vision', 'pooler_output')
})

test("timm's SigLIP has the attention pooling head", async () => {
  const { tensors } = await readSafetensors(join(familyFolder, 'siglip-vision/model.safetensors'))
  await rename('siglip-vision', timm('vit_base_patch32_siglip_256', 'map', { img_size: 32 }), clipName)
  const renamed = (await readSafetensors(join(folder, 'model.safetensors'))).tensors
  for (const part of ['weight', 'bias']) {
    const { shape, data } = tensors.get(`vision_model.head.attention.in_proj_${part}`) as SafeTensor
    const size = data.length / 3
    const rows = (from: number, to: number): SafeTensor => ({
      dtype: 'F32',
      shape: [((shape[0] as number) / 3) * (to - from), ...shape.slice(1)],
      data: (data as Float32Array).slice(from * size, to * size),
    })
    renamed.set(`attn_pool.q.${part}`, rows(0, 1)).set(`attn_pool.kv.${part}`, rows(1, 3))
    renamed.delete(`attn_pool.in_proj_${part}`)
  }
  await writeSafetensors(join(folder, 'model.safetensors'), renamed)
  const model = await AutoModel.fromPretrained(folder)
  await expectFixture(model.forward(familyImages('siglip-vision')).poolerOutput, 'siglip-vision', 'pooler_output')
})

test("timm's giant DINOv2 has SwiGLU in one weight", async () => {
  const args = { num_classes: 5, pretrained_cfg: { input_size: [3, 28, 28] } }
  await rename(
    'dinov2-swiglu',
    () => ({ ...timm('vit_giant_patch14_dinov2', 'token')(), ...args }),
    name =>
      name.endsWith('mask_token')
        ? undefined
        : name
            .replace(/^dinov2\./, '')
            .replace('encoder.layer.', 'blocks.')
            .replace(/attention\.attention\.(query|key|value)/, 'attn.qkv')
            .replace('attention.output.dense', 'attn.proj')
            .replace(/layer_scale(\d)\.lambda1/, 'ls$1.gamma')
            .replace('mlp.weights_in', 'mlp.fc1')
            .replace('mlp.weights_out', 'mlp.fc2')
            .replace('embeddings.patch_embeddings.projection', 'patch_embed.proj')
            .replace('embeddings.position_embeddings', 'pos_embed')
            .replace('embeddings.cls_token', 'cls_token')
            .replace(/^layernorm\./, 'norm.')
            .replace(/^classifier\.weight$/, 'head.weight')
            .replace(/^classifier\.bias$/, 'head.bias'),
  )
  const model = await AutoModel.fromPretrained(folder)
  await expectFixture(
    model.forward(familyImages('dinov2-swiglu')).lastHiddenState,
    'dinov2-swiglu',
    'last_hidden_state',
  )
})

const clipName = (name: string): string =>
  name
    .replace(/^vision_model\./, '')
    .replace('encoder.layers.', 'blocks.')
    .replace(/self_attn\.[qkv]_proj/, 'attn.qkv')
    .replace('self_attn.out_proj', 'attn.proj')
    .replace(/layer_norm(\d)/, 'norm$1')
    .replace('embeddings.patch_embedding', 'patch_embed.proj')
    .replace('embeddings.position_embedding.weight', 'pos_embed')
    .replace('embeddings.class_embedding', 'cls_token')
    .replace('pre_layrnorm', 'norm_pre')
    .replace('post_layernorm', 'norm')
    .replace('head.probe', 'attn_pool.latent')
    .replace('head.attention.out_proj', 'attn_pool.proj')
    .replace('head.attention.', 'attn_pool.')
    .replace('head.layernorm', 'attn_pool.norm')
    .replace('head.mlp', 'attn_pool.mlp')
