/**
 * Folders of timm (pytorch-image-models): a `config.json` that names the architecture, and weights that say most of its sizes.
 * Source: timm's vision_transformer.py and deit.py.
 */
import { describeValue } from '../../files/fields.ts'
import type { ViTConfig, ViTConfigOptions } from '../config.ts'
import type { Family, Json } from './family.ts'

/** Architectures whose blocks are a ViT's. */
const known =
  /^(vit_(tiny|wee|xsmall|little|small|mediumd?|betwixt|base|large|so150m2?|so400m|huge|giant|giantopt|gigantic)_patch\d+_|deit3?_\w+_patch\d+_|flexivit_(small|base|large)$|eva_large_patch14_|test_vit2?$)/

/** Those among them that are not: parallel or reordered blocks, RMS norms, hybrid stems. */
const others = /_(18x2|rpn|xp)_|_intern300m|_r\d+_/

/** Heads by width; all are of 64 columns but in the largest. */
const headsOfWidth: Readonly<Record<number, number>> = { 1152: 16, 1280: 16, 1408: 16, 1664: 16 }

function numHeads(architecture: string, hiddenSize: number): number {
  if (architecture === 'vit_base_patch16_gap_224') return 16
  if (architecture.startsWith('vit_giantopt_')) return 16
  if (architecture.startsWith('test_vit')) return 2
  return headsOfWidth[hiddenSize] ?? hiddenSize / 64
}

/** SigLIP of patches of 32, of so400m at 16, of giantopt, and the largest image of the large one. */
const tanhGelu = /^vit_(base_patch32_siglip|so400m_patch16_siglip|giantopt_patch16_siglip|large_patch16_siglip\w*_512$)/

function activationOf(architecture: string): ViTConfig['hiddenAct'] {
  if (architecture.includes('_clip_quickgelu_')) return 'quick_gelu'
  if (/^vit_giant_patch14_(reg\d_)?(dinov2|tipsv2)$/.test(architecture)) return 'silu'
  return tanhGelu.test(architecture) ? 'gelu_tanh' : 'gelu'
}

/** Arguments of a model that a file may give beside its architecture's own, in ours; the others are refused. */
const modelArgs = [
  'embed_dim',
  'depth',
  'num_heads',
  'patch_size',
  'img_size',
  'mlp_ratio',
  'class_token',
  'reg_tokens',
]
const harmlessArgs = [
  'global_pool',
  'num_classes',
  'in_chans',
  'init_values',
  'no_embed_class',
  'fc_norm',
  'pre_norm',
  'qkv_bias',
  'qk_norm',
  'dynamic_img_size',
  'weight_init',
]

/** Refuses what is known not to be a plain ViT, before there are weights to look at. */
function fromJson(_: unknown, json: Json, source: string): ViTConfigOptions {
  const { architecture, model_args: args = {}, global_pool: pool = 'token' } = json
  if (typeof architecture !== 'string' || !known.test(architecture) || others.test(architecture))
    throw new Error(
      `${source} describes ${describeValue(architecture)}, a model of timm's whose blocks are not a ViT's; Vitral reads its vit_, deit_, deit3_, flexivit_ and eva_large_ models.`,
    )
  const unknown = Object.keys(args as Json).find(name => !modelArgs.includes(name) && !harmlessArgs.includes(name))
  if (unknown !== undefined)
    throw new Error(
      `${source}: Vitral does not know ${describeValue(unknown)} of model_args; expected ${modelArgs.join(', ')}.`,
    )
  if (!['token', 'avg', 'map'].includes(String(pool)))
    throw new Error(`${source}: global_pool is ${describeValue(pool)}; expected "token", "avg" or "map".`)
  const { label_names: labels, num_classes: numClasses } = json
  const numLabels = Number(numClasses ?? 1000)
  const named = Array.isArray(labels) && labels.length === numLabels && labels.every(label => typeof label === 'string')
  return { numLabels, extra: json, ...(named && { id2label: { ...labels } }) }
}

type Shapes = ReadonlyMap<string, readonly number[]>

/**
 * The sizes that the weights have, and what the architecture's name says beside.
 *
 * @param options of `fromJson`
 * @param source what errors call the folder
 */
export function completeFromWeights(options: ViTConfigOptions, shapes: Shapes, source: string): ViTConfigOptions {
  if (options.modelType !== 'timm') return options
  const {
    architecture,
    global_pool: pool = 'token',
    model_args: args = {},
    pretrained_cfg: trained = {},
  } = options.extra as {
    architecture: string
    global_pool?: string
    model_args?: Json
    pretrained_cfg?: Json
  }
  const sizes = (name: string): readonly number[] => {
    const found = shapes.get(name)
    if (!found) throw new Error(`The weights in ${source} have no ${name}; expected those of timm's ${architecture}.`)
    return found
  }
  const has = (name: string): boolean => shapes.has(name)
  const [hiddenSize = 0, numChannels = 3, ...patchSize] = sizes('patch_embed.proj.weight')
  const depth = new Set([...shapes.keys()].map(name => /^blocks\.(\d+)\./.exec(name)?.[1]).filter(Boolean)).size
  const fc1 = sizes('blocks.0.mlp.fc1.weight')[0] as number
  const fc2 = sizes('blocks.0.mlp.fc2.weight')[1] as number
  const prefix = Number(has('cls_token')) + Number(has('dist_token'))
  const imageSize = args.img_size ?? (trained.input_size as number[] | undefined)?.slice(1) ?? 224
  const [height = 0, width = 0] = typeof imageSize === 'number' ? [imageSize, imageSize] : (imageSize as number[])
  const patches = Math.floor(height / (patchSize[0] ?? 16)) * Math.floor(width / (patchSize[1] ?? 16))
  const positions = shapes.get('pos_embed')?.[1]
  return {
    ...options,
    hiddenSize,
    numChannels,
    patchSize: [patchSize[0] ?? 16, patchSize[1] ?? 16],
    imageSize: [height, width],
    numHiddenLayers: depth,
    numAttentionHeads: Number(args.num_heads ?? numHeads(architecture, hiddenSize)),
    intermediateSize: fc2,
    gatedMlp: fc1 === 2 * fc2,
    hiddenAct: activationOf(architecture),
    layerNormEps: architecture.includes('_clip_') ? 1e-5 : 1e-6,
    qkvBias: has('blocks.0.attn.qkv.bias'),
    qkNorm: has('blocks.0.attn.q_norm.weight'),
    layerScaleInit: has('blocks.0.ls1.gamma') ? 1e-5 : null,
    classToken: has('cls_token'),
    distillationToken: has('dist_token'),
    numRegisterTokens: shapes.get('reg_token')?.[1] ?? 0,
    positionedTokens:
      positions === undefined ? 'none' : positions === patches + prefix && prefix > 0 ? 'all' : 'patches',
    patchBias: has('patch_embed.proj.bias'),
    normBeforeEncoder: has('norm_pre.weight'),
    finalNorm: has('fc_norm.weight') ? 'pooled' : 'tokens',
    pooling: pool === 'map' ? 'attention' : pool === 'avg' ? 'mean' : 'class',
    headInput: has('head_dist.weight') ? 'class-and-distillation' : 'pooled',
  }
}

function toJson(config: ViTConfig): Json {
  const { architecture, model_args: args = {}, pretrained_cfg: trained = {} } = config.extra
  if (typeof architecture !== 'string')
    throw new Error(
      "A model of modelType 'timm' is saved under its architecture's name, which this one has not; make one of another type.",
    )
  const [height, width] = typeof config.imageSize === 'number' ? [config.imageSize, config.imageSize] : config.imageSize
  const ofFile = (trained as { input_size?: number[] }).input_size ?? []
  const resized = ofFile[1] !== height || ofFile[2] !== width
  const numClasses = config.numLabels
  return {
    num_classes: numClasses,
    num_features: config.hiddenSize,
    label_names: Object.values(config.id2label),
    pretrained_cfg: { ...(trained as Json), num_classes: numClasses, input_size: [config.numChannels, height, width] },
    model_args: { ...(args as Json), ...(resized && { img_size: height === width ? height : [height, width] }) },
  }
}

/** The map of class names without those that timm fills in. */
export const timm: Family = {
  architectures: { model: 'VisionTransformer', classifier: 'VisionTransformer' },
  poolsByItself: true,
  fields: {},
  fromJson,
  toJson,
  names: {
    prefixes: { classifier: '', model: '' },
    layers: 'blocks.',
    inLayer: () => [
      ['layernorm_before', 'norm1'],
      ['layernorm_after', 'norm2'],
      ...(['query', 'key', 'value'] as const).map(part => [`attention.attention.${part}`, 'attn.qkv'] as const),
      ['attention.attention.query_norm', 'attn.q_norm'],
      ['attention.attention.key_norm', 'attn.k_norm'],
      ['attention.output.dense', 'attn.proj'],
      ['intermediate.gate', 'mlp.fc1'],
      ['intermediate.dense', 'mlp.fc1'],
      ['output.dense', 'mlp.fc2'],
      ['layer_scale1.lambda1', 'ls1.gamma'],
      ['layer_scale2.lambda1', 'ls2.gamma'],
    ],
    others: ({ finalNorm }) => [
      ['embeddings.cls_token', 'cls_token'],
      ['embeddings.distillation_token', 'dist_token'],
      ['embeddings.register_tokens', 'reg_token'],
      ['embeddings.mask_token', 'mask_token'],
      ['embeddings.position_embeddings', 'pos_embed'],
      ['embeddings.patch_embeddings.projection', 'patch_embed.proj'],
      ['embeddings.layernorm', 'norm_pre'],
      ['layernorm', finalNorm === 'pooled' ? 'fc_norm' : 'norm'],
      ['head.probe', 'attn_pool.latent'],
      ['head.attention.query', 'attn_pool.q'],
      ['head.attention.key', 'attn_pool.kv'],
      ['head.attention.value', 'attn_pool.kv'],
      ['head.attention.output', 'attn_pool.proj'],
      ['head.layernorm', 'attn_pool.norm'],
      ['head.mlp.up', 'attn_pool.mlp.fc1'],
      ['head.mlp.down', 'attn_pool.mlp.fc2'],
      ['classifier', 'head'],
      ['distillation_classifier', 'head_dist'],
    ],
  },
}
