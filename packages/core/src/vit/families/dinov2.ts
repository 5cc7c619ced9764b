/** DINOv2 with and without registers, and DINOv3. */
import { finiteNumber, trueOrFalse, wholeNumber } from '../../files/fields.ts'
import type { ViTConfig, ViTConfigOptions } from '../config.ts'
import { type Family, type FamilyNames, fieldsOf, transformerFields, type Values } from './family.ts'

/** What backbones of segmentation and depth give out; the features here are all that the model has. */
const backbone = [
  'out_features',
  'out_indices',
  'stage_names',
  'reshape_hidden_states',
  'apply_layernorm',
  'return_class_token',
]

const dinov2Fields = {
  ...transformerFields,
  ...fieldsOf('hiddenDropoutProb', 'attentionProbsDropoutProb', 'qkvBias', 'dropPathRate'),
  mlpRatio: { key: 'mlp_ratio', ...finiteNumber(0) },
  layerScaleInit: { key: 'layerscale_value', ...finiteNumber() },
  gatedMlp: { key: 'use_swiglu_ffn', ...trueOrFalse },
}

const dinov2Names = (prefix: string): FamilyNames => ({
  prefixes: { classifier: `${prefix}.`, model: '' },
  layers: 'encoder.layer.',
  inLayer: ({ gatedMlp }) => [
    ['layernorm_before', 'norm1'],
    ['layernorm_after', 'norm2'],
    ['intermediate.gate', 'mlp.weights_in'],
    ['intermediate.dense', gatedMlp ? 'mlp.weights_in' : 'mlp.fc1'],
    ['output.dense', gatedMlp ? 'mlp.weights_out' : 'mlp.fc2'],
  ],
  others: () => [],
  ranks: { 'embeddings.mask_token': 2 },
  spelled: name =>
    name
      .replace(/^layers\./, 'encoder.layer.')
      .replace(
        /\.attention\.([qkv])_proj\./,
        (_, part: 'q' | 'k' | 'v') => `.attention.attention.${projections[part]}.`,
      )
      .replace('.attention.o_proj.', '.attention.output.dense.'),
})

const projections = { q: 'query', k: 'key', v: 'value' } as const

/** Two thirds of the MLP's width, in multiples of 8: three matrices have about the numbers of two. */
function dinov2FromJson({ mlpRatio = 4, hiddenSize, ...values }: Values): ViTConfigOptions {
  const width = Math.trunc(Number(hiddenSize ?? 768) * Number(mlpRatio))
  const gated = 8 * Math.floor((Math.trunc((width * 2) / 3) + 7) / 8)
  // hidden_act is then not looked at: the gate's activation is silu.
  return values.gatedMlp === true ? { intermediateSize: gated, hiddenAct: 'silu' } : { intermediateSize: width }
}

/** The ratio that gives the width again. */
function dinov2ToJson({ hiddenSize, intermediateSize, gatedMlp }: ViTConfig) {
  return gatedMlp
    ? { mlp_ratio: (intermediateSize * 3) / 2 / hiddenSize, hidden_act: 'gelu' }
    : { mlp_ratio: intermediateSize / hiddenSize }
}

export const dinov2: Family = {
  architectures: { model: 'Dinov2Model', classifier: 'Dinov2ForImageClassification' },
  poolsByItself: true,
  fields: dinov2Fields,
  harmless: backbone,
  required: ['patch_size', 'layer_norm_eps'],
  fromJson: dinov2FromJson,
  toJson: dinov2ToJson,
  names: dinov2Names('dinov2'),
}

export const dinov2WithRegisters: Family = {
  ...dinov2,
  architectures: { model: 'Dinov2WithRegistersModel', classifier: 'Dinov2WithRegistersForImageClassification' },
  fields: { ...dinov2Fields, numRegisterTokens: { key: 'num_register_tokens', ...wholeNumber(0, 1024) } },
  names: dinov2Names('dinov2_with_registers'),
}

export const dinov3: Family = {
  architectures: { model: 'DINOv3ViTModel', classifier: 'DINOv3ViTForImageClassification' },
  poolsByItself: true,
  fields: {
    ...transformerFields,
    ...fieldsOf('intermediateSize', 'dropPathRate'),
    attentionProbsDropoutProb: { key: 'attention_dropout', ...finiteNumber() },
    ropeTheta: { key: 'rope_theta', ...finiteNumber() },
    layerScaleInit: { key: 'layerscale_value', ...finiteNumber() },
    gatedMlp: { key: 'use_gated_mlp', ...trueOrFalse },
    numRegisterTokens: { key: 'num_register_tokens', ...wholeNumber(0, 1024) },
    qkvBias: { key: 'query_bias', ...trueOrFalse },
    valueBias: { key: 'value_bias', ...trueOrFalse },
    keyBias: { key: 'key_bias', ...trueOrFalse },
  },
  // The last three move the patches' coordinates at random while transformers trains; here they stay where they are.
  harmless: [...backbone, 'pos_embed_shift', 'pos_embed_jitter', 'pos_embed_rescale'],
  refused: { mlp_bias: [true], proj_bias: [true], rope_parameters: [] },
  fromJson: ({ qkvBias = true, valueBias = true, keyBias = false }, _, source) => {
    if (qkvBias !== valueBias || (keyBias && !qkvBias))
      throw new Error(
        `${source}: query_bias is ${qkvBias}, key_bias ${keyBias} and value_bias ${valueBias}; expected query and value alike, and the key none where they have none.`,
      )
    return {}
  },
  toJson: ({ qkvBias }) => ({ value_bias: qkvBias, mlp_bias: true, proj_bias: true }),
  names: {
    prefixes: { classifier: '', model: '' },
    layers: 'layer.',
    inLayer: () => [
      ['layernorm_before', 'norm1'],
      ['layernorm_after', 'norm2'],
      ['attention.attention.query', 'attention.q_proj'],
      ['attention.attention.key', 'attention.k_proj'],
      ['attention.attention.value', 'attention.v_proj'],
      ['attention.output.dense', 'attention.o_proj'],
      ['intermediate.gate', 'mlp.gate_proj'],
      ['intermediate.dense', 'mlp.up_proj'],
      ['output.dense', 'mlp.down_proj'],
    ],
    others: () => [
      ['layernorm', 'norm'],
      ['embeddings.patch_embeddings.projection', 'embeddings.patch_embeddings'],
    ],
    spelled: name => name.replace(/^model\.layer\./, 'layer.'),
  },
}
