/** The vision towers of CLIP and SigLIP. */
import { finiteNumber } from '../../files/fields.ts'
import { type Family, type FamilyNames, fieldsOf, transformerFields } from './family.ts'

const names: FamilyNames = {
  prefixes: { classifier: 'vision_model.', model: 'vision_model.' },
  layers: 'encoder.layers.',
  inLayer: () => [
    ['layernorm_before', 'layer_norm1'],
    ['layernorm_after', 'layer_norm2'],
    ['attention.attention.query', 'self_attn.q_proj'],
    ['attention.attention.key', 'self_attn.k_proj'],
    ['attention.attention.value', 'self_attn.v_proj'],
    ['attention.output.dense', 'self_attn.out_proj'],
    ['intermediate.dense', 'mlp.fc1'],
    ['output.dense', 'mlp.fc2'],
  ],
  others: () => [
    ['embeddings.cls_token', 'embeddings.class_embedding'],
    ['embeddings.position_embeddings', 'embeddings.position_embedding.weight'],
    ['embeddings.patch_embeddings.projection', 'embeddings.patch_embedding'],
    ['embeddings.layernorm', 'pre_layrnorm'], // transformers' spelling
    ['layernorm', 'post_layernorm'],
    ...['query', 'key', 'value'].flatMap(part => [
      [`head.attention.${part}.weight`, 'head.attention.in_proj_weight'] as const,
      [`head.attention.${part}.bias`, 'head.attention.in_proj_bias'] as const,
    ]),
    ['head.attention.output', 'head.attention.out_proj'],
    ['head.mlp.up', 'head.mlp.fc1'],
    ['head.mlp.down', 'head.mlp.fc2'],
  ],
  ranks: { 'embeddings.class_embedding': 1, 'embeddings.position_embedding.weight': 2 },
  leftOut: /^(text_model|text_projection|logit_scale|logit_bias|embeddings\.position_ids)\b/,
}

const fields = {
  ...transformerFields,
  ...fieldsOf('intermediateSize'),
  attentionProbsDropoutProb: { key: 'attention_dropout', ...finiteNumber() },
}

export const clipVision: Family = {
  architectures: {
    model: 'CLIPVisionModel',
    modelWithProjection: 'CLIPVisionModelWithProjection',
    classifier: 'CLIPForImageClassification',
  },
  poolsByItself: true,
  fields: { ...fields, projectionDim: { key: 'projection_dim', ...finiteNumber() } },
  harmless: ['initializer_factor', 'dropout'],
  ofBoth: 'clip',
  names,
}

export const siglipVision: Family = {
  architectures: { model: 'SiglipVisionModel', classifier: 'SiglipForImageClassification' },
  poolsByItself: true,
  fields,
  harmless: ['initializer_factor', 'dropout'],
  refused: { num_patches: [], vision_use_head: [true] },
  toJson: () => ({ vision_use_head: true }),
  ofBoth: 'siglip',
  names: { ...names, leftOut: /^(text_model|logit_scale|logit_bias|embeddings\.position_ids)\b/ },
}
