import { afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, mul, randomNormal, sum, type Tensor, tensor3d, tidy, type Variable, zeros } from '@tensorflow/tfjs-core'
import { familyFixtures, familyFolder, familyImages, familySuite } from '../../../test/family-suite.ts'
import { useBackend } from '../../backend.ts'
import { readSafetensors, writeSafetensors } from '../../files/safetensors/safetensors-file.ts'
import { interpolatePositions } from '../../ops/index.ts'
import { AutoModel, AutoModelForImageClassification } from '../auto-model.ts'
import { ViTForImageClassification } from '../classifier.ts'
import { ViTModel } from '../model.ts'

let folder: string

beforeAll(() => useBackend('cpu'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-family-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

familySuite(test)

const fixture = (name: string): string => join(familyFolder, name)
const configOf = (path: string) => JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))

function editedFixture(name: string, edit: (config: Record<string, unknown>) => void): string {
  cpSync(fixture(name), folder, { recursive: true })
  const config = configOf(folder)
  edit(config)
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return folder
}

for (const [name, hasClassifier] of Object.entries(familyFixtures))
  test(`${name}: what is saved has the names, the values and the fields of what was read`, async () => {
    const load = hasClassifier ? AutoModelForImageClassification : AutoModel
    const model = await load.fromPretrained(fixture(name))
    const saved = join(folder, 'saved')
    await model.savePretrained(saved)
    const [before, after] = await Promise.all(
      [fixture(name), saved].map(path => readSafetensors(join(path, 'model.safetensors'))),
    )
    expect([...(after?.tensors.keys() ?? [])].sort()).toEqual([...(before?.tensors.keys() ?? [])].sort())
    for (const [tensor, { shape, data }] of before?.tensors ?? [])
      expect(after?.tensors.get(tensor)).toEqual({ dtype: 'F32', shape, data })
    expect(configOf(saved)).toMatchObject(name === 'deit-distilled' ? { model_type: 'deit' } : configOf(fixture(name)))
    const again = await load.fromPretrained(saved)
    expect({ ...again.config, extra: {} }).toEqual({ ...model.config, extra: {} })
  })

/** The derivative along a direction: exact, and by central differences of the loss. */
function derivatives(model: ViTForImageClassification, images: Tensor, direction: Map<string, Tensor>, step: number) {
  const pixels = images as ReturnType<typeof familyImages>
  const { grads } = model.valueAndGrads(pixels, [1, 0])
  const exact = [...direction].reduce(
    (total, [name, d]) => total + (sum(mul(grads[name] as Tensor, d)).dataSync()[0] as number),
    0,
  )
  const lossAt = (distance: number): number => {
    for (const [name, d] of direction)
      tidy(() => {
        const parameter = model.parameters().get(name) as Variable
        parameter.assign(add(parameter as Tensor, mul(d, distance)))
      })
    return model.forward(pixels, { labels: [1, 0] }).loss?.dataSync()[0] as number
  }
  const above = lossAt(step)
  const below = lossAt(-2 * step)
  return { exact, numeric: (above - below) / (2 * step), names: Object.keys(grads) }
}

for (const [name, options] of Object.entries({
  'deit-distilled': {},
  'dinov2-registers': {},
  'dinov2-swiglu': {},
  'dinov3-gated': { numLabels: 2, ignoreMismatchedSizes: true },
  'clip-vision': { numLabels: 2, ignoreMismatchedSizes: true },
  beit: {},
  ijepa: {},
  'timm-deit3': {},
  'timm-reg4-gap': {},
}))
  test(`${name}: every parameter has a gradient, and it is that of the loss`, async () => {
    const model = await AutoModelForImageClassification.fromPretrained(fixture(name), {
      ...options,
      onNewlyInitialized: () => {},
    })
    const images = familyImages(name)
    const unused = name === 'clip-vision' ? /mask_token|^vit\.layernorm\./ : /mask_token/ // its mean is of tokens before the norm
    const names = [...model.parameters().keys()].filter(parameter => !unused.test(parameter))
    const direction = new Map(
      names.map((parameter, i) => {
        const { shape } = model.parameters().get(parameter) as Variable
        return [parameter, randomNormal(shape, 0, 1, 'float32', i + 1) as Tensor]
      }),
    )
    const { exact, numeric, names: withGradient } = derivatives(model, images, direction, 2.5e-4)
    expect(withGradient.sort()).toEqual(names.sort())
    expect(Math.abs(exact - numeric)).toBeLessThan(1e-3 * Math.abs(exact) + 1e-3)
  })

test('positions are interpolated with antialiasing as PyTorch does', async () => {
  const positions = tensor3d(
    Array.from({ length: 16 }, (_, i) => ((i * 7 + 3) % 11) / 4),
    [1, 16, 1],
  )
  const [smaller, larger] = await Promise.all(
    (
      [
        [2, 3],
        [6, 5],
      ] as const
    ).map(to => interpolatePositions(positions, [4, 4], to, { prefix: 0, antialias: true }).data()),
  )
  const expected = [1.50584, 1.33263, 1.07522, 1.55974, 0.81591, 1.46602]
  for (const [i, value] of expected.entries()) expect(smaller?.[i]).toBeCloseTo(value, 4)
  for (const [i, value] of [0.56777, 2.11156, 2.27673, 1.17955, 0.35022].entries())
    expect(larger?.[i]).toBeCloseTo(value, 4)
})

test('DINOv2 and DINOv3 take images of other sizes, BEiT none and I-JEPA those that are asked for', async () => {
  const shapeOf = async (name: string, size: number, interpolatePosEncoding = false) => {
    const model = await AutoModel.fromPretrained(fixture(name))
    return model.forward(zeros([1, 3, size, size]), { interpolatePosEncoding }).lastHiddenState.shape
  }
  expect(await shapeOf('dinov2', 35)).toEqual([1, 26, 48])
  expect(await shapeOf('dinov2-registers', 42)).toEqual([1, 41, 48])
  expect(await shapeOf('dinov3', 48)).toEqual([1, 41, 48])
  expect(await shapeOf('ijepa', 35, true)).toEqual([1, 25, 48])
  await expect(shapeOf('ijepa', 35)).rejects.toThrow('but the model was made for 28×28')
  await expect(shapeOf('beit', 40, true)).rejects.toThrow("the model's relative positions are those of 32×32")
})

test('a model of another size keeps its positions, interpolated', async () => {
  const model = await AutoModelForImageClassification.fromPretrained(fixture('timm-reg4-gap'), { imageSize: 40 })
  expect(model.parameters().get('vit.embeddings.position_embeddings')?.shape).toEqual([1, 25, 48])
  await model.savePretrained(folder)
  expect(configOf(folder)).toMatchObject({ model_args: { img_size: 40 }, pretrained_cfg: { input_size: [3, 40, 40] } })
  const again = await AutoModelForImageClassification.fromPretrained(folder)
  expect(again.config.imageSize).toEqual([40, 40])
})

test('the vision tower of a model of two is read alone, and a classifier on it is saved as transformers has it', async () => {
  cpSync(fixture('clip-vision'), folder, { recursive: true })
  const { architectures: _, projection_dim: projection, ...vision } = configOf(folder)
  const both = {
    model_type: 'clip',
    architectures: ['CLIPModel'],
    projection_dim: projection,
    vision_config: vision,
    text_config: {},
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...both, logit_scale_init_value: 2.6592 }))
  const { tensors } = await readSafetensors(join(folder, 'model.safetensors'))
  tensors.set('text_model.final_layer_norm.weight', { dtype: 'F32', shape: [2], data: new Float32Array(2) })
  tensors.set('logit_scale', { dtype: 'F32', shape: [], data: new Float32Array(1) })
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
  const model = await AutoModel.fromPretrained(folder)
  expect(model.forward(familyImages('clip-vision')).imageEmbeds?.shape).toEqual([2, 20])
  const classifier = await AutoModelForImageClassification.fromPretrained(folder, {
    numLabels: 3,
    ignoreMismatchedSizes: true,
    onNewlyInitialized: () => {},
  })
  const saved = join(folder, 'saved')
  await classifier.savePretrained(saved)
  expect(configOf(saved)).toMatchObject({
    model_type: 'clip',
    architectures: ['CLIPForImageClassification'],
    vision_config: { model_type: 'clip_vision_model', hidden_act: 'quick_gelu', hidden_size: 48 },
    id2label: { 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' },
  })
  expect((await AutoModelForImageClassification.fromPretrained(saved)).config.numLabels).toBe(3)
})

test('a classifier on a masked autoencoder is saved as a ViT', async () => {
  const model = new ViTForImageClassification({
    modelType: 'vit_mae',
    ...{ hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 32, numLabels: 3 },
  })
  await model.savePretrained(folder)
  expect(configOf(folder)).toMatchObject({ model_type: 'vit', architectures: ['ViTForImageClassification'] })
})

test('what cannot be read is refused in one line before there are weights', async () => {
  const refused = async (config: object, message: string) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    await expect(AutoModel.fromPretrained(folder)).rejects.toThrow(message)
  }
  await refused({ model_type: 'siglip2' }, "describes a model of type 'siglip2'; Vitral reads 'vit', 'deit'")
  await refused({ model_type: 'dinov2' }, 'patch_size is missing, and versions of transformers differ')
  await refused({ model_type: 'clip' }, 'vision_config is missing; expected the fields of the vision tower')
  await refused(
    { model_type: 'siglip_vision_model', vision_use_head: false },
    'vision_use_head is false; expected true',
  )
  await refused(
    { model_type: 'dinov3_vit', key_bias: true, query_bias: false, value_bias: false },
    'query_bias is false',
  )
  await refused(
    { architecture: 'vit_base_r50_s16_224' },
    '"vit_base_r50_s16_224", a model of timm\'s whose blocks are not',
  )
  await refused(
    { architecture: 'vit_tiny_patch16_224', model_args: { swiglu: 1 } },
    'does not know "swiglu" of model_args',
  )
  await refused({ architecture: 'vit_tiny_patch16_224', global_pool: 'max' }, 'global_pool is "max"; expected "token"')
})

test('a configuration that does not fit the tensors is refused with their names in the file', async () => {
  editedFixture('dinov2', config => {
    config.mlp_ratio = 3
  })
  await expect(AutoModel.fromPretrained(folder)).rejects.toThrow(
    'encoder.layer.0.mlp.fc1.weight has shape [192,48]; the model needs [144,48]',
  )
  editedFixture('timm-vit', config => {
    config.model_args = { num_heads: 3, img_size: 64 }
  })
  await expect(AutoModel.fromPretrained(folder)).rejects.toThrow(
    'pos_embed has shape [1,17,48]; the model needs [1,64,48]',
  )
})

test('a model that its type cannot say is not saved', async () => {
  const size = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 32 }
  const model = new ViTModel({ ...size, layerScaleInit: 1 })
  await expect(model.savePretrained(folder)).rejects.toThrow(
    "A model of type 'vit' cannot be saved with layerScaleInit of its own: 1",
  )
})
