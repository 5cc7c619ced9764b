/** ViT, and the members that are a ViT but for a token or a prefix: DeiT, ViT-MSN, ViT-MAE, I-JEPA. */
import { commonFields, type Family, type FamilyNames, hasArchitecture } from './family.ts'

/** Names within a layer in transformers 5, and those on disk. */
const renamedInLayer: readonly (readonly [v5: string, name: string])[] = [
  ['attention.q_proj', 'attention.attention.query'],
  ['attention.k_proj', 'attention.attention.key'],
  ['attention.v_proj', 'attention.attention.value'],
  ['attention.o_proj', 'attention.output.dense'],
  ['mlp.fc1', 'intermediate.dense'],
  ['mlp.fc2', 'output.dense'],
]

/**
 * The name on disk of one that transformers 5 has in memory.
 *
 * @example
 * fromTransformers5('layers.3.mlp.fc1.weight') // 'encoder.layer.3.intermediate.dense.weight'
 */
export function fromTransformers5(name: string): string {
  const [, index, rest] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? []
  if (rest === undefined) return name
  const found = renamedInLayer.find(([v5]) => rest.startsWith(`${v5}.`))
  return `encoder.layer.${index}.${found ? found[1] + rest.slice(found[0].length) : rest}`
}

export const vitNames = (prefix: string): FamilyNames => ({
  prefixes: { classifier: `${prefix}.`, model: '' },
  layers: 'encoder.layer.',
  inLayer: () => [],
  others: () => [],
  spelled: fromTransformers5,
  leftOut: /^decoder\./,
})

/** The first is Vitral's own, for training; transformers keeps and ignores it. */
const leftOutByDefault = ['dropPathRate', 'poolerAct', 'poolerOutputSize']

export const vit: Family = {
  architectures: { model: 'ViTModel', classifier: 'ViTForImageClassification' },
  poolsByItself: false,
  fields: commonFields,
  leftOutByDefault,
  names: vitNames('vit'),
}

const teacher = 'DeiTForImageClassificationWithTeacher'

export const deit: Family = {
  architectures: { model: 'DeiTModel', classifier: 'DeiTForImageClassification' },
  poolsByItself: false,
  fields: commonFields,
  leftOutByDefault,
  fromJson: (_, json) => (hasArchitecture(json, teacher) ? { headInput: 'class-and-distillation' } : {}),
  toJson: ({ headInput }, architecture) =>
    headInput === 'class-and-distillation' && architecture === 'DeiTForImageClassification'
      ? { architectures: [teacher] }
      : {},
  names: {
    ...vitNames('deit'),
    others: ({ headInput }) => (headInput === 'class-and-distillation' ? [['classifier', 'cls_classifier']] : []),
  },
}

export const vitMsn: Family = {
  ...vit,
  architectures: { model: 'ViTMSNModel', classifier: 'ViTMSNForImageClassification' },
}

/** The encoder of a masked autoencoder, on all patches. */
export const vitMae: Family = {
  ...vit,
  architectures: { model: 'ViTMAEModel' },
  classifierType: 'vit',
  harmless: [
    ...['decoder_num_attention_heads', 'decoder_hidden_size', 'decoder_num_hidden_layers', 'decoder_intermediate_size'],
    ...['mask_ratio', 'norm_pix_loss'],
  ],
}

export const ijepa: Family = {
  ...vit,
  architectures: { model: 'IJepaModel', classifier: 'IJepaForImageClassification' },
  names: vitNames('ijepa'),
}
