/** BEiT, and data2vec for images, which is the same model. */
import { finiteNumber, trueOrFalse } from '../../files/fields.ts'
import type { ViTConfig, ViTConfigOptions } from '../config.ts'
import { type Family, type FamilyNames, fieldsOf, transformerFields, type Values } from './family.ts'

/** Fields of segmentation, whose heads are no part of the models here, and of the tokens of pre-training. */
const harmless = [
  ...['vocab_size', 'out_indices', 'out_features', 'stage_names', 'add_fpn', 'reshape_hidden_states', 'pool_scales'],
  ...['use_auxiliary_head', 'auxiliary_loss_weight', 'auxiliary_channels', 'auxiliary_num_convs'],
  ...['auxiliary_concat_input', 'semantic_loss_ignore_index', 'use_mask_token'],
]

const names = (prefix: string): FamilyNames => ({
  prefixes: { classifier: `${prefix}.`, model: '' },
  layers: 'encoder.layer.',
  inLayer: () => [
    ['layer_scale1.lambda1', 'lambda_1'],
    ['layer_scale2.lambda1', 'lambda_2'],
  ],
  others: ({ finalNorm }) => (finalNorm === 'pooled' ? [['layernorm', 'pooler.layernorm']] : []),
  leftOut: /(^(decode_head|auxiliary_head|lm_head|fpn\d)\.|relative_position_index$)/,
})

function fromJson(values: Values): ViTConfigOptions {
  const { layerScaleInit = 0.1, meanPooling = true, absolutePositions, relativeBias, sharedBias } = values
  return {
    layerScaleInit: Number(layerScaleInit) > 0 ? Number(layerScaleInit) : null,
    ...(meanPooling ? { finalNorm: 'pooled', pooling: 'mean' } : { finalNorm: 'tokens', pooling: 'class' }),
    positionedTokens: absolutePositions ? 'all' : 'none',
    relativePositionBias: sharedBias ? 'shared' : relativeBias ? 'layer' : 'none',
  }
}

const toJson = ({ layerScaleInit, pooling, positionedTokens, relativePositionBias }: ViTConfig) => ({
  layer_scale_init_value: layerScaleInit ?? 0,
  use_mean_pooling: pooling === 'mean',
  use_absolute_position_embeddings: positionedTokens === 'all',
  use_relative_position_bias: relativePositionBias === 'layer',
  use_shared_relative_position_bias: relativePositionBias === 'shared',
})

export const beit: Family = {
  architectures: { model: 'BeitModel', classifier: 'BeitForImageClassification' },
  poolsByItself: true,
  fields: {
    ...transformerFields,
    ...fieldsOf('intermediateSize', 'hiddenDropoutProb', 'attentionProbsDropoutProb', 'dropPathRate'),
    layerScaleInit: { key: 'layer_scale_init_value', ...finiteNumber() },
    meanPooling: { key: 'use_mean_pooling', ...trueOrFalse },
    absolutePositions: { key: 'use_absolute_position_embeddings', ...trueOrFalse },
    relativeBias: { key: 'use_relative_position_bias', ...trueOrFalse },
    sharedBias: { key: 'use_shared_relative_position_bias', ...trueOrFalse },
  },
  harmless,
  fromJson,
  toJson,
  names: names('beit'),
}

export const data2vecVision: Family = {
  ...beit,
  architectures: { model: 'Data2VecVisionModel', classifier: 'Data2VecVisionForImageClassification' },
  names: names('data2vec_vision'),
}
